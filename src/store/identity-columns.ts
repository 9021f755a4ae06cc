/** The columns that users and roles have in common. @module */
import type { IdentityRecord } from '../model/identity.ts'
import type { IdentityColumns } from './schema.ts'

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
