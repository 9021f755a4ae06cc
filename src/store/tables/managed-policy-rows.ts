/** The rows of managed policies. @module */
import {
  awsAccountId,
  awsManagedPolicy,
  awsManagedPolicyNamed,
  isAwsManaged,
} from '../../model/aws-managed-policies.ts'
import type { ManagedPolicyRecord } from '../../model/managed-policy.ts'
import { namedReads, namedWrites, type NamedTable } from './named-rows.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type { ManagedPoliciesTable } from '../schema/schema.ts'
import type { StoreReads, Transaction } from '../store.ts'

type Reads = Pick<
  StoreReads,
  'findManagedPolicy' | 'findManagedPolicyByName' | 'listManagedPolicies' | 'countManagedPolicies'
>
type Writes = Pick<
  Transaction,
  'insertManagedPolicy' | 'updateManagedPolicy' | 'deleteManagedPolicy'
>

const managedPolicies: NamedTable<'managed_policies', ManagedPolicyRecord> = {
  table: 'managed_policies',
  key: 'policy_id',
  change: 'managed-policy',
  idOf: ({ policyId }) => policyId,
  columnsOf,
  recordOf: policyOf,
}

export function managedPolicyReads(scope: RowScope): Reads {
  const { find, findByName, list, count } = namedReads(managedPolicies, scope)
  return {
    // AWS's own policies, which every account has, are in no table.
    findManagedPolicy: async (id) => awsManagedPolicy(id) ?? find(id),
    findManagedPolicyByName: async (accountId, name) =>
      accountId === awsAccountId ? awsManagedPolicyNamed(name) : findByName(accountId, name),
    listManagedPolicies: (accountId, { pathPrefix, onlyAttached, onlyBoundaries, ...page }) =>
      list(
        accountId,
        page,
        ({ path, attachments, boundaries }) =>
          path.startsWith(pathPrefix) &&
          (!onlyAttached || attachments > 0) &&
          (onlyBoundaries !== true || boundaries > 0),
      ),
    countManagedPolicies: count,
  }
}

export function managedPolicyWrites(scope: WriteScope): Writes {
  const writes = namedWrites(managedPolicies, scope)
  return {
    insertManagedPolicy: writes.insert,
    updateManagedPolicy: async (policy, changes) =>
      isAwsManaged(policy) ? policy : writes.update(policy, changes),
    deleteManagedPolicy: writes.delete,
  }
}

function columnsOf(policy: ManagedPolicyRecord): Omit<ManagedPoliciesTable, 'row_tag'> {
  return {
    policy_id: policy.policyId,
    account_id: policy.accountId,
    name: policy.name,
    folded_name: policy.name.toLowerCase(),
    path: policy.path,
    description: JSON.stringify(policy.description),
    versions: JSON.stringify(policy.versions),
    default_version_id: policy.defaultVersionId,
    next_version: policy.nextVersion,
    attachments: policy.attachments,
    boundaries: policy.boundaries,
    tags: JSON.stringify(policy.tags),
    created_at: policy.createdAt,
    updated_at: policy.updatedAt,
    row_version: policy.rowVersion,
  }
}

/** The JSON is valid: `columnsOf` wrote every row that has a valid tag. */
function policyOf(row: ManagedPoliciesTable): ManagedPolicyRecord {
  return {
    policyId: row.policy_id,
    accountId: row.account_id,
    name: row.name,
    path: row.path,
    description: JSON.parse(row.description) as string,
    versions: JSON.parse(row.versions) as ManagedPolicyRecord['versions'],
    defaultVersionId: row.default_version_id,
    nextVersion: row.next_version,
    attachments: row.attachments,
    boundaries: row.boundaries,
    tags: JSON.parse(row.tags) as ManagedPolicyRecord['tags'],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    rowVersion: row.row_version,
  }
}
