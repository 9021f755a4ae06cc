/** Converts a grant to the columns of its row, and back. @module */
import { granteeOf, requestDigest, type GrantRecord } from '../../model/grant.ts'
import type { GrantsTable } from '../schema/schema.ts'

/** The columns of a grant, without its tag. */
export function columnsOf(grant: GrantRecord): Omit<GrantsTable, 'row_tag'> {
  return {
    account_id: grant.accountId,
    region: grant.region,
    key_id: grant.keyId,
    grant_id: grant.grantId,
    name: grant.name ?? null,
    grantee: granteeOf(grant),
    grantee_id: grant.granteeId ?? null,
    retiree: grant.retiringPrincipal ?? grant.retiringServicePrincipal ?? null,
    retiree_id: grant.retiringId ?? null,
    issuing_account_id: grant.issuingAccountId,
    operations: JSON.stringify(grant.operations),
    constraints: grant.constraints === undefined ? null : JSON.stringify(grant.constraints),
    request_digest: grant.name === undefined ? null : requestDigest(grant),
    created_at: grant.createdAt,
    row_version: grant.rowVersion,
  }
}

/** The values and the JSON are valid: `columnsOf` wrote every row that has a valid tag. */
export function grantOf(row: GrantsTable): GrantRecord {
  const { grantee, grantee_id: granteeId, retiree, retiree_id: retiringId } = row
  return {
    accountId: row.account_id,
    region: row.region,
    keyId: row.key_id,
    grantId: row.grant_id,
    ...(row.name !== null && { name: row.name }),
    // A principal has a unique id; a service has none.
    ...(granteeId === null
      ? { granteeServicePrincipal: grantee }
      : { granteePrincipal: grantee, granteeId }),
    ...(retiree !== null &&
      (retiringId === null
        ? { retiringServicePrincipal: retiree }
        : { retiringPrincipal: retiree, retiringId })),
    issuingAccountId: row.issuing_account_id,
    operations: JSON.parse(row.operations) as GrantRecord['operations'],
    ...(row.constraints !== null && {
      constraints: JSON.parse(row.constraints) as NonNullable<GrantRecord['constraints']>,
    }),
    createdAt: row.created_at,
    rowVersion: row.row_version,
  }
}
