/** The columns that users and roles share, and conditions on them. @module */
import type { IdentityRecord } from '../../model/identity.ts'
import type { Narrow } from './named-rows.ts'
import type { IdentityColumns } from '../schema/schema.ts'
import type { Holding } from '../store.ts'

export function identityColumns(
  record: Omit<IdentityRecord, 'permissionsBoundary'>,
): IdentityColumns {
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

/** The JSON is valid: `identityColumns` wrote every row that has a valid tag. */
export function identityOf(row: IdentityColumns): Omit<IdentityRecord, 'permissionsBoundary'> {
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

/**
 * Matches identities that hold a managed policy. A unique id is base 32, so no character in it is
 * special to JSON or to a pattern.
 */
export function held(row: Row, holding: Holding): ReturnType<Narrow> {
  if (holding.as === 'attached') return attached(row, holding)
  if (holding.as === 'boundary') return bounded(row, holding)
  return row.or([attached(row, holding), bounded(row, holding)])
}

function attached(row: Row, { policyId }: Holding): ReturnType<Narrow> {
  return row('attached_policies', 'like', `%"${policyId}"%`)
}

function bounded(row: Row, { policyId }: Holding): ReturnType<Narrow> {
  return row('permissions_boundary', '=', policyId)
}
