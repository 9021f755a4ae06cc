/** The columns that users and roles have in common, and what is asked of them. @module */
import { sql } from 'kysely'
import type { IdentityRecord } from '../model/identity.ts'
import type { Narrow } from './named-rows.ts'
import type { IdentityColumns } from './schema.ts'
import type { Holding } from './store.ts'

export function identityColumns(record: IdentityRecord): IdentityColumns {
  return {
    account_id: record.accountId,
    name: record.name,
    folded_name: record.name.toLowerCase(),
    path: record.path,
    inline_policies: JSON.stringify(record.inlinePolicies),
    attached_policies: JSON.stringify(record.attachedPolicies),
    tags: JSON.stringify(record.tags),
    created_at: record.createdAt,
    row_version: record.rowVersion,
  }
}

/** A genuine row was made by `identityColumns`, so its JSON is the record's. */
export function identityOf(row: IdentityColumns): IdentityRecord {
  return {
    accountId: row.account_id,
    name: row.name,
    path: row.path,
    inlinePolicies: JSON.parse(row.inline_policies) as IdentityRecord['inlinePolicies'],
    attachedPolicies: JSON.parse(row.attached_policies) as IdentityRecord['attachedPolicies'],
    tags: JSON.parse(row.tags) as IdentityRecord['tags'],
    createdAt: row.created_at,
    rowVersion: row.row_version,
  }
}

type Row = Parameters<Narrow>[0]

/** Unique ids are base 32: nothing in one is special to JSON or to a pattern. */
export function attached(row: Row, { policyId }: Holding): ReturnType<Narrow> {
  return row('attached_policies', 'like', `%"${policyId}"%`)
}

export function bounded(row: Row, { policyId }: Holding): ReturnType<Narrow> {
  return row(sql.ref<string | null>('permissions_boundary'), '=', policyId)
}
