/** The tables of grants. @module */
import { granteeOf, requestDigest, type GrantRecord } from '../../model/grant.ts'
import { json, number, optional, rowTag, text } from './columns.ts'
import { keys } from './keys.ts'
import { table, tableOf } from './table.ts'

export const grants = tableOf<GrantRecord>()({
  name: 'grants',
  columns: {
    account_id: text('accountId'),
    region: text('region'),
    key_id: text('keyId'),
    grant_id: text('grantId'),
    name: optional(text('name')),
    /** An ARN; a service principal if `grantee_id` is null. */
    grantee: text(),
    grantee_id: optional(text('granteeId')),
    /** An ARN; a service principal if `retiree_id` is null. */
    retiree: optional(text()),
    retiree_id: optional(text('retiringId')),
    issuing_account_id: text('issuingAccountId'),
    operations: json('operations'),
    constraints: optional(json('constraints')),
    /** Equal for repeated requests; only for grants with a name. */
    request_digest: optional(text()),
    created_at: number('createdAt'),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  compose: {
    columns: (grant) => ({
      grantee: granteeOf(grant),
      retiree: grant.retiringPrincipal ?? grant.retiringServicePrincipal ?? null,
      request_digest: grant.name === undefined ? null : requestDigest(grant),
    }),
    members: [
      'granteePrincipal',
      'granteeServicePrincipal',
      'retiringPrincipal',
      'retiringServicePrincipal',
    ],
    // A principal has a unique id; a service has none.
    read: ({ grantee, grantee_id: granteeId, retiree, retiree_id: retiringId }) => ({
      ...(granteeId === null
        ? { granteeServicePrincipal: grantee }
        : { granteePrincipal: grantee }),
      ...(retiree !== null &&
        (retiringId === null
          ? { retiringServicePrincipal: retiree }
          : { retiringPrincipal: retiree })),
    }),
  },
  primaryKey: ['account_id', 'region', 'key_id', 'grant_id'],
  references: [{ columns: ['account_id', 'region', 'key_id'], to: keys, whenDeleted: 'delete' }],
  indexes: [
    {
      name: 'grants_by_grantee',
      columns: ['account_id', 'region', 'key_id', 'grantee', 'grant_id'],
    },
    { name: 'grants_by_request', columns: ['account_id', 'region', 'key_id', 'request_digest'] },
    { name: 'grants_by_retiree', columns: ['region', 'retiree', 'grant_id'] },
    // A service's retirable grants are listed by account, without reading those of other accounts.
    {
      name: 'grants_by_retiree_account',
      columns: ['region', 'retiree', 'account_id', 'grant_id'],
    },
    { name: 'grants_by_grantee_id', columns: ['grantee_id'] },
    { name: 'grants_by_retiree_id', columns: ['retiree_id'] },
  ],
  change: {
    kind: 'grant',
    account: 'account_id',
    region: 'region',
    id: ['key_id', 'grant_id', 'grantee'],
  },
  emptied: true,
})

/**
 * The buckets of each grant (`model/grant-buckets.ts`). They only propose grants and are never
 * trusted.
 */
export const grantBuckets = table({
  name: 'grant_buckets',
  columns: {
    account_id: text(),
    region: text(),
    key_id: text(),
    bucket: text(),
    grant_id: text(),
  },
  primaryKey: ['account_id', 'region', 'key_id', 'bucket', 'grant_id'],
  references: [{ columns: ['account_id', 'region', 'key_id'], to: keys, whenDeleted: 'delete' }],
  clustered: true,
  emptied: true,
})
