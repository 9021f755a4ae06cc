/** Every operation of IAM. @module */
import { createAccessKey } from './create-access-key.ts'
import { createUser } from './create-user.ts'
import { deleteAccessKey } from './delete-access-key.ts'
import { deleteUser } from './delete-user.ts'
import { getUser } from './get-user.ts'
import { listAccessKeys } from './list-access-keys.ts'
import { listUsers } from './list-users.ts'
import { deleteUserPolicy } from './delete-user-policy.ts'
import { getUserPolicy } from './get-user-policy.ts'
import { listUserPolicies } from './list-user-policies.ts'
import { putUserPolicy } from './put-user-policy.ts'
import { updateAccessKey } from './update-access-key.ts'
import { createPolicy } from './create-policy.ts'
import { getPolicy } from './get-policy.ts'
import { deletePolicy } from './delete-policy.ts'
import { listPolicies } from './list-policies.ts'
import { createPolicyVersion } from './create-policy-version.ts'
import { getPolicyVersion } from './get-policy-version.ts'
import { listPolicyVersions } from './list-policy-versions.ts'
import { deletePolicyVersion } from './delete-policy-version.ts'
import { setDefaultPolicyVersion } from './set-default-policy-version.ts'
import { attachUserPolicy } from './attach-user-policy.ts'
import { detachUserPolicy } from './detach-user-policy.ts'
import { listAttachedUserPolicies } from './list-attached-user-policies.ts'
import { attachRolePolicy } from './attach-role-policy.ts'
import { createRole } from './create-role.ts'
import { createServiceLinkedRole } from './create-service-linked-role.ts'
import { deleteRole } from './delete-role.ts'
import { deleteRolePolicy } from './delete-role-policy.ts'
import { deleteServiceLinkedRole } from './delete-service-linked-role.ts'
import { detachRolePolicy } from './detach-role-policy.ts'
import { getRole } from './get-role.ts'
import { getRolePolicy } from './get-role-policy.ts'
import { getServiceLinkedRoleDeletionStatus } from './get-service-linked-role-deletion-status.ts'
import { listAttachedRolePolicies } from './list-attached-role-policies.ts'
import { listEntitiesForPolicy } from './list-entities-for-policy.ts'
import { listInstanceProfilesForRole } from './list-instance-profiles-for-role.ts'
import { listRolePolicies } from './list-role-policies.ts'
import { listRoleTags } from './list-role-tags.ts'
import { listRoles } from './list-roles.ts'
import { putRolePolicy } from './put-role-policy.ts'
import { tagRole } from './tag-role.ts'
import { untagRole } from './untag-role.ts'
import { updateAssumeRolePolicy } from './update-assume-role-policy.ts'
import { updateRole } from './update-role.ts'
import { updateRoleDescription } from './update-role-description.ts'
import { deleteRolePermissionsBoundary } from './delete-role-permissions-boundary.ts'
import { putRolePermissionsBoundary } from './put-role-permissions-boundary.ts'
import { putUserPermissionsBoundary } from './put-user-permissions-boundary.ts'
import { deleteUserPermissionsBoundary } from './delete-user-permissions-boundary.ts'
import { tagUser } from './tag-user.ts'
import { untagUser } from './untag-user.ts'
import { listUserTags } from './list-user-tags.ts'
import { tagPolicy } from './tag-policy.ts'
import { untagPolicy } from './untag-policy.ts'
import { listPolicyTags } from './list-policy-tags.ts'
import { createAccountAlias } from './create-account-alias.ts'
import { deleteAccountAlias } from './delete-account-alias.ts'
import { listAccountAliases } from './list-account-aliases.ts'
import { getAccessKeyLastUsed } from './get-access-key-last-used.ts'
import { createGroup } from './create-group.ts'
import { getGroup } from './get-group.ts'
import { listGroups } from './list-groups.ts'
import { updateGroup } from './update-group.ts'
import { deleteGroup } from './delete-group.ts'
import { addUserToGroup } from './add-user-to-group.ts'
import { removeUserFromGroup } from './remove-user-from-group.ts'
import { listGroupsForUser } from './list-groups-for-user.ts'
import { putGroupPolicy } from './put-group-policy.ts'
import { getGroupPolicy } from './get-group-policy.ts'
import { deleteGroupPolicy } from './delete-group-policy.ts'
import { listGroupPolicies } from './list-group-policies.ts'
import { attachGroupPolicy } from './attach-group-policy.ts'
import { detachGroupPolicy } from './detach-group-policy.ts'
import { listAttachedGroupPolicies } from './list-attached-group-policies.ts'
import { simulateCustomPolicy } from './simulate-custom-policy.ts'
import { simulatePrincipalPolicy } from './simulate-principal-policy.ts'
import { getContextKeysForCustomPolicy } from './get-context-keys-for-custom-policy.ts'
import { getContextKeysForPrincipalPolicy } from './get-context-keys-for-principal-policy.ts'
import { updateUser } from './update-user.ts'
import { addClientIdToOpenIdConnectProvider } from './add-client-id-to-open-id-connect-provider.ts'
import { createOpenIdConnectProvider } from './create-open-id-connect-provider.ts'
import { deleteOpenIdConnectProvider } from './delete-open-id-connect-provider.ts'
import { getOpenIdConnectProvider } from './get-open-id-connect-provider.ts'
import { listOpenIdConnectProviderTags } from './list-open-id-connect-provider-tags.ts'
import { listOpenIdConnectProviders } from './list-open-id-connect-providers.ts'
import { removeClientIdFromProvider } from './remove-client-id-from-open-id-connect-provider.ts'
import { tagOpenIdConnectProvider } from './tag-open-id-connect-provider.ts'
import { untagOpenIdConnectProvider } from './untag-open-id-connect-provider.ts'
import { updateOpenIdConnectProviderThumbprint } from './update-open-id-connect-provider-thumbprint.ts'
import { registryOf } from '../contract/registry.ts'

export const iamRegistry = registryOf([
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
])
