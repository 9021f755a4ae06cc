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
import type { Operation } from './operation.ts'
import { assumeRole } from './sts/assume-role.ts'
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
  assumeRole,
  getAccessKeyInfo,
  getCallerIdentity,
  getFederationToken,
  getSessionToken,
]

/** By `<service>:<name>`, for example `sts:GetCallerIdentity`. */
export const queryRegistry: ReadonlyMap<string, Operation> = new Map(
  operations.map((known) => [`${known.service}:${known.name}`, known]),
)
