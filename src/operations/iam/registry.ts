/** Every operation of IAM. @module */
import { createAccessKey } from './create-access-key.ts'
import { createUser } from './create-user.ts'
import { deleteAccessKey } from './delete-access-key.ts'
import { deleteUser } from './delete-user.ts'
import { getUser } from './get-user.ts'
import { listAccessKeys } from './list-access-keys.ts'
import { listUsers } from './list-users.ts'
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
import { createRole } from './create-role.ts'
import { createServiceLinkedRole } from './create-service-linked-role.ts'
import { deleteRole } from './delete-role.ts'
import { deleteServiceLinkedRole } from './delete-service-linked-role.ts'
import { getRole } from './get-role.ts'
import { getServiceLinkedRoleDeletionStatus } from './get-service-linked-role-deletion-status.ts'
import { listEntitiesForPolicy } from './list-entities-for-policy.ts'
import { listInstanceProfilesForRole } from './list-instance-profiles-for-role.ts'
import { listRoles } from './list-roles.ts'
import { updateAssumeRolePolicy } from './update-assume-role-policy.ts'
import { updateRole } from './update-role.ts'
import { updateRoleDescription } from './update-role-description.ts'
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
import { simulateCustomPolicy } from './simulate-custom-policy.ts'
import { simulatePrincipalPolicy } from './simulate-principal-policy.ts'
import { getContextKeysForCustomPolicy } from './get-context-keys-for-custom-policy.ts'
import { getContextKeysForPrincipalPolicy } from './get-context-keys-for-principal-policy.ts'
import { updateUser } from './update-user.ts'
import { addClientIdToOpenIdConnectProvider } from './add-client-id-to-open-id-connect-provider.ts'
import { createOpenIdConnectProvider } from './create-open-id-connect-provider.ts'
import { deleteOpenIdConnectProvider } from './delete-open-id-connect-provider.ts'
import { getOpenIdConnectProvider } from './get-open-id-connect-provider.ts'
import { listOpenIdConnectProviders } from './list-open-id-connect-providers.ts'
import { removeClientIdFromProvider } from './remove-client-id-from-open-id-connect-provider.ts'
import { updateOpenIdConnectProviderThumbprint } from './update-open-id-connect-provider-thumbprint.ts'
import {
  attachUserPolicy,
  attachRolePolicy,
  attachGroupPolicy,
  detachUserPolicy,
  detachRolePolicy,
  detachGroupPolicy,
  listAttachedUserPolicies,
  listAttachedRolePolicies,
  listAttachedGroupPolicies,
} from './attached-policies.ts'
import {
  putUserPolicy,
  putRolePolicy,
  putGroupPolicy,
  getUserPolicy,
  getRolePolicy,
  getGroupPolicy,
  deleteUserPolicy,
  deleteRolePolicy,
  deleteGroupPolicy,
  listUserPolicies,
  listRolePolicies,
  listGroupPolicies,
} from './inline-policies.ts'
import {
  tagUser,
  tagRole,
  tagPolicy,
  tagOpenIdConnectProvider,
  untagUser,
  untagRole,
  untagPolicy,
  untagOpenIdConnectProvider,
  listUserTags,
  listRoleTags,
  listPolicyTags,
  listOpenIdConnectProviderTags,
} from './tags.ts'
import {
  putUserPermissionsBoundary,
  putRolePermissionsBoundary,
  deleteUserPermissionsBoundary,
  deleteRolePermissionsBoundary,
} from './permissions-boundaries.ts'
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
