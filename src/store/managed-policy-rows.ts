/** Managed policies in the store. @module */
import type { ManagedPolicyRecord } from '../model/managed-policy.ts'
import { acceptedPage } from './bound-rows.ts'
import type { RowScope, WriteScope } from './row-scope.ts'
import type { ManagedPoliciesTable } from './schema.ts'
import { type StoreReads, type Transaction, StaleRow } from './store.ts'

type Reads = Pick<
  StoreReads,
  'findManagedPolicy' | 'findManagedPolicyByName' | 'listManagedPolicies' | 'countManagedPolicies'
>
type Writes = Pick<
  Transaction,
  'insertManagedPolicy' | 'updateManagedPolicy' | 'deleteManagedPolicy'
>

export function managedPolicyReads({ query, rows }: RowScope): Reads {
  const accept = (found: ManagedPoliciesTable | undefined): ManagedPolicyRecord | undefined => {
    const row = found && rows.genuine('managed_policies', [found.policy_id], found)
    return row && policyOf(row)
  }
  return {
    async findManagedPolicy(policyId) {
      const found = await query
        .selectFrom('managed_policies')
        .selectAll()
        .where('policy_id', '=', policyId)
        .executeTakeFirst()
      return accept(found)
    },
    async findManagedPolicyByName(accountId, name) {
      const found = await query
        .selectFrom('managed_policies')
        .selectAll()
        .where('account_id', '=', accountId)
        .where('name', '=', name)
        .executeTakeFirst()
      return accept(found)
    },
    listManagedPolicies(accountId, { pathPrefix, onlyAttached, ...page }) {
      const fetch = (
        after: string | undefined,
        limit: number,
      ): Promise<readonly ManagedPoliciesTable[]> =>
        query
          .selectFrom('managed_policies')
          .selectAll()
          .where('account_id', '=', accountId)
          .$if(after !== undefined, (policies) => policies.where('name', '>', after ?? ''))
          .orderBy('name')
          .limit(limit)
          .execute()
      return acceptedPage(
        page,
        fetch,
        (row) => row.name,
        (row) =>
          row.path.startsWith(pathPrefix) && (!onlyAttached || row.attachments > 0)
            ? accept(row)
            : undefined,
      )
    },
    // Counts rows unchecked: a forged one can only use up the account's quota.
    async countManagedPolicies(accountId) {
      const { count } = await query
        .selectFrom('managed_policies')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('account_id', '=', accountId)
        .executeTakeFirstOrThrow()
      return count
    },
  }
}

export function managedPolicyWrites({ query, rows, touch }: WriteScope): Writes {
  const touchPolicy = ({
    accountId,
    policyId,
  }: Pick<ManagedPolicyRecord, 'accountId' | 'policyId'>): void =>
    touch({ kind: 'managed-policy', accountId, region: '', id: policyId })
  return {
    async insertManagedPolicy(policy) {
      const row = rows.seal('managed_policies', columnsOf({ ...policy, rowVersion: 1 }))
      await query.insertInto('managed_policies').values(row).execute()
      touchPolicy(policy)
    },
    async updateManagedPolicy(policy, changes) {
      const updated = { ...policy, ...changes, rowVersion: policy.rowVersion + 1 }
      const { numUpdatedRows } = await query
        .updateTable('managed_policies')
        .set(rows.seal('managed_policies', columnsOf(updated)))
        .where('policy_id', '=', policy.policyId)
        .where('row_version', '=', policy.rowVersion)
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) throw stale(policy)
      touchPolicy(policy)
      return updated
    },
    async deleteManagedPolicy(policy) {
      const { numDeletedRows } = await query
        .deleteFrom('managed_policies')
        .where('policy_id', '=', policy.policyId)
        .where('row_version', '=', policy.rowVersion)
        .executeTakeFirst()
      if (numDeletedRows !== 1n) throw stale(policy)
      touchPolicy(policy)
    },
  }
}

function stale({ policyId }: ManagedPolicyRecord): StaleRow {
  return new StaleRow(`managed policy ${policyId}`)
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
    created_at: policy.createdAt,
    updated_at: policy.updatedAt,
    row_version: policy.rowVersion,
  }
}

/** A genuine row was made by `columnsOf`, so its JSON is the record's. */
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
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    rowVersion: row.row_version,
  }
}
