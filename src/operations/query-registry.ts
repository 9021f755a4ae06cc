/** Every operation of IAM and STS that there is; the wire's names lead here. @module */
import { createAccessKey } from './iam/create-access-key.ts'
import { createUser } from './iam/create-user.ts'
import { deleteAccessKey } from './iam/delete-access-key.ts'
import { deleteUser } from './iam/delete-user.ts'
import { getUser } from './iam/get-user.ts'
import { listAccessKeys } from './iam/list-access-keys.ts'
import { listUsers } from './iam/list-users.ts'
import { deleteUserPolicy } from './iam/delete-user-policy.ts'
import { getUserPolicy } from './iam/get-user-policy.ts'
import { listUserPolicies } from './iam/list-user-policies.ts'
import { putUserPolicy } from './iam/put-user-policy.ts'
import { updateAccessKey } from './iam/update-access-key.ts'
import { createPolicy } from './iam/create-policy.ts'
import { getPolicy } from './iam/get-policy.ts'
import { deletePolicy } from './iam/delete-policy.ts'
import { listPolicies } from './iam/list-policies.ts'
import { createPolicyVersion } from './iam/create-policy-version.ts'
import { getPolicyVersion } from './iam/get-policy-version.ts'
import { listPolicyVersions } from './iam/list-policy-versions.ts'
import { deletePolicyVersion } from './iam/delete-policy-version.ts'
import { setDefaultPolicyVersion } from './iam/set-default-policy-version.ts'
import { attachUserPolicy } from './iam/attach-user-policy.ts'
import { detachUserPolicy } from './iam/detach-user-policy.ts'
import { listAttachedUserPolicies } from './iam/list-attached-user-policies.ts'
import { attachRolePolicy } from './iam/attach-role-policy.ts'
import { createRole } from './iam/create-role.ts'
import { createServiceLinkedRole } from './iam/create-service-linked-role.ts'
import { deleteRole } from './iam/delete-role.ts'
import { deleteRolePolicy } from './iam/delete-role-policy.ts'
import { deleteServiceLinkedRole } from './iam/delete-service-linked-role.ts'
import { detachRolePolicy } from './iam/detach-role-policy.ts'
import { getRole } from './iam/get-role.ts'
import { getRolePolicy } from './iam/get-role-policy.ts'
import { getServiceLinkedRoleDeletionStatus } from './iam/get-service-linked-role-deletion-status.ts'
import { listAttachedRolePolicies } from './iam/list-attached-role-policies.ts'
import { listEntitiesForPolicy } from './iam/list-entities-for-policy.ts'
import { listInstanceProfilesForRole } from './iam/list-instance-profiles-for-role.ts'
import { listRolePolicies } from './iam/list-role-policies.ts'
import { listRoleTags } from './iam/list-role-tags.ts'
import { listRoles } from './iam/list-roles.ts'
import { putRolePolicy } from './iam/put-role-policy.ts'
import { tagRole } from './iam/tag-role.ts'
import { untagRole } from './iam/untag-role.ts'
import { updateAssumeRolePolicy } from './iam/update-assume-role-policy.ts'
import { updateRole } from './iam/update-role.ts'
import { updateRoleDescription } from './iam/update-role-description.ts'
import { deleteRolePermissionsBoundary } from './iam/delete-role-permissions-boundary.ts'
import { putRolePermissionsBoundary } from './iam/put-role-permissions-boundary.ts'
import { putUserPermissionsBoundary } from './iam/put-user-permissions-boundary.ts'
import { deleteUserPermissionsBoundary } from './iam/delete-user-permissions-boundary.ts'
import { tagUser } from './iam/tag-user.ts'
import { untagUser } from './iam/untag-user.ts'
import { listUserTags } from './iam/list-user-tags.ts'
import { tagPolicy } from './iam/tag-policy.ts'
import { untagPolicy } from './iam/untag-policy.ts'
import { listPolicyTags } from './iam/list-policy-tags.ts'
import { createAccountAlias } from './iam/create-account-alias.ts'
import { deleteAccountAlias } from './iam/delete-account-alias.ts'
import { listAccountAliases } from './iam/list-account-aliases.ts'
import { getAccessKeyLastUsed } from './iam/get-access-key-last-used.ts'
import { createGroup } from './iam/create-group.ts'
import { getGroup } from './iam/get-group.ts'
import { listGroups } from './iam/list-groups.ts'
import { updateGroup } from './iam/update-group.ts'
import { deleteGroup } from './iam/delete-group.ts'
import { addUserToGroup } from './iam/add-user-to-group.ts'
import { removeUserFromGroup } from './iam/remove-user-from-group.ts'
import { listGroupsForUser } from './iam/list-groups-for-user.ts'
import { putGroupPolicy } from './iam/put-group-policy.ts'
import { getGroupPolicy } from './iam/get-group-policy.ts'
import { deleteGroupPolicy } from './iam/delete-group-policy.ts'
import { listGroupPolicies } from './iam/list-group-policies.ts'
import { attachGroupPolicy } from './iam/attach-group-policy.ts'
import { detachGroupPolicy } from './iam/detach-group-policy.ts'
import { listAttachedGroupPolicies } from './iam/list-attached-group-policies.ts'
import { simulateCustomPolicy } from './iam/simulate-custom-policy.ts'
import { simulatePrincipalPolicy } from './iam/simulate-principal-policy.ts'
import { getContextKeysForCustomPolicy } from './iam/get-context-keys-for-custom-policy.ts'
import { getContextKeysForPrincipalPolicy } from './iam/get-context-keys-for-principal-policy.ts'
import { updateUser } from './iam/update-user.ts'
import { addClientIdToOpenIdConnectProvider } from './iam/add-client-id-to-open-id-connect-provider.ts'
import { createOpenIdConnectProvider } from './iam/create-open-id-connect-provider.ts'
import { deleteOpenIdConnectProvider } from './iam/delete-open-id-connect-provider.ts'
import { getOpenIdConnectProvider } from './iam/get-open-id-connect-provider.ts'
import { listOpenIdConnectProviderTags } from './iam/list-open-id-connect-provider-tags.ts'
import { listOpenIdConnectProviders } from './iam/list-open-id-connect-providers.ts'
import { removeClientIdFromProvider } from './iam/remove-client-id-from-open-id-connect-provider.ts'
import { tagOpenIdConnectProvider } from './iam/tag-open-id-connect-provider.ts'
import { untagOpenIdConnectProvider } from './iam/untag-open-id-connect-provider.ts'
import { updateOpenIdConnectProviderThumbprint } from './iam/update-open-id-connect-provider-thumbprint.ts'
import type { Operation } from './operation.ts'
import { assumeRole } from './sts/assume-role.ts'
import { assumeRoleWithWebIdentity } from './sts/assume-role-with-web-identity.ts'
import { getAccessKeyInfo } from './sts/get-access-key-info.ts'
import { getCallerIdentity } from './sts/get-caller-identity.ts'
import { getFederationToken } from './sts/get-federation-token.ts'
import { getSessionToken } from './sts/get-session-token.ts'

const operations: readonly Operation[] = [
  createAccessKey,
  createUser,
  deleteAccessKey,
  deleteUser,
  getUser,
  listAccessKeys,
  listUsers,
  deleteUserPolicy,
  getUserPolicy,
  listUserPolicies,
  putUserPolicy,
  updateAccessKey,
  createPolicy,
  getPolicy,
  deletePolicy,
  listPolicies,
  createPolicyVersion,
  getPolicyVersion,
  listPolicyVersions,
  deletePolicyVersion,
  setDefaultPolicyVersion,
  attachUserPolicy,
  detachUserPolicy,
  listAttachedUserPolicies,
  attachRolePolicy,
  createRole,
  createServiceLinkedRole,
  deleteRole,
  deleteRolePolicy,
  deleteServiceLinkedRole,
  detachRolePolicy,
  getRole,
  getRolePolicy,
  getServiceLinkedRoleDeletionStatus,
  listAttachedRolePolicies,
  listEntitiesForPolicy,
  listInstanceProfilesForRole,
  listRolePolicies,
  listRoleTags,
  listRoles,
  putRolePolicy,
  tagRole,
  untagRole,
  updateAssumeRolePolicy,
  updateRole,
  updateRoleDescription,
  deleteRolePermissionsBoundary,
  putRolePermissionsBoundary,
  putUserPermissionsBoundary,
  deleteUserPermissionsBoundary,
  tagUser,
  untagUser,
  listUserTags,
  tagPolicy,
  untagPolicy,
  listPolicyTags,
  createAccountAlias,
  deleteAccountAlias,
  listAccountAliases,
  getAccessKeyLastUsed,
  createGroup,
  getGroup,
  listGroups,
  updateGroup,
  deleteGroup,
  addUserToGroup,
  removeUserFromGroup,
  listGroupsForUser,
  putGroupPolicy,
  getGroupPolicy,
  deleteGroupPolicy,
  listGroupPolicies,
  attachGroupPolicy,
  detachGroupPolicy,
  listAttachedGroupPolicies,
  simulateCustomPolicy,
  simulatePrincipalPolicy,
  getContextKeysForCustomPolicy,
  getContextKeysForPrincipalPolicy,
  updateUser,
  addClientIdToOpenIdConnectProvider,
  createOpenIdConnectProvider,
  deleteOpenIdConnectProvider,
  getOpenIdConnectProvider,
  listOpenIdConnectProviderTags,
  listOpenIdConnectProviders,
  removeClientIdFromProvider,
  tagOpenIdConnectProvider,
  untagOpenIdConnectProvider,
  updateOpenIdConnectProviderThumbprint,
  assumeRole,
  assumeRoleWithWebIdentity,
  getAccessKeyInfo,
  getCallerIdentity,
  getFederationToken,
  getSessionToken,
]

/** By `<service>:<name>`, for example `sts:GetCallerIdentity`. */
export const queryRegistry: ReadonlyMap<string, Operation> = new Map(
  operations.map((known) => [`${known.service}:${known.name}`, known]),
)
