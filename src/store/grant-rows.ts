/**
 * Grants in the store. A grant is written once and deleted once; a row that is not genuine is absent, and
 * so allows nothing.
 * @module
 */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import { granteeOf, requestDigest, type GrantRecord, type GrantRef } from '../model/grant.ts'
import { parseArn } from '../model/arn.ts'
import type { NamedPlace } from '../model/identity.ts'
import type { KeyRef } from '../model/key.ts'
import { userArn } from '../model/user.ts'
import { acceptedPage } from './bound-rows.ts'
import type { RowScope, WriteScope } from './row-scope.ts'
import type { GrantsTable, Schema } from './schema.ts'
import { type StoreReads, type Transaction, StaleRow } from './store.ts'

type Reads = Pick<
  StoreReads,
  'findGrant' | 'findSameGrant' | 'grantsTo' | 'listGrants' | 'listRetirableGrants' | 'countGrants'
>
type Writes = Pick<Transaction, 'insertGrant' | 'renameGrantee' | 'deleteGrant'>

export function grantReads({ query, rows }: RowScope): Reads {
  const accept = (found: GrantsTable | undefined): GrantRecord | undefined => {
    const row = found && rows.genuine('grants', primaryKeyOf(found), found)
    return row && grantOf(row)
  }
  const all = query.selectFrom('grants').selectAll()
  const listGrants: Reads['listGrants'] = (key, { grantee, granteeId, ...page }) => {
    const fetch = (after: string | undefined, limit: number): Promise<readonly GrantsTable[]> =>
      all
        .where((row) => isOfKey(row, key))
        .$if(grantee !== undefined, (grants) => grants.where('grantee', '=', grantee ?? ''))
        .$if(granteeId !== undefined, (grants) => grants.where('grantee_id', '=', granteeId ?? ''))
        .$if(after !== undefined, (grants) => grants.where('grant_id', '>', after ?? ''))
        .orderBy('grant_id')
        .limit(limit)
        .execute()
    return acceptedPage(page, fetch, (row) => row.grant_id, accept)
  }
  return {
    async findGrant(ref) {
      return accept(await all.where((row) => isGrant(row, ref)).executeTakeFirst())
    },
    async findSameGrant(key, digest) {
      const found = await all
        .where((row) => isOfKey(row, key))
        .where('request_digest', '=', digest)
        .execute()
      return found.map(accept).find((same) => same !== undefined)
    },
    // Page by page: a key may have tens of thousands.
    grantsTo: (key, grantee) => listGrants(key, { limit: Number.MAX_SAFE_INTEGER, grantee }),
    listGrants,
    listRetirableGrants(region, { retiree, retireeId, accountId, ...page }) {
      const fetch = (after: string | undefined, limit: number): Promise<readonly GrantsTable[]> =>
        all
          .where('region', '=', region)
          .where('retiree', '=', retiree)
          .$if(retireeId !== undefined, (grants) =>
            grants.where('retiree_id', '=', retireeId ?? ''),
          )
          .$if(accountId !== undefined, (grants) =>
            grants.where('account_id', '=', accountId ?? ''),
          )
          .$if(after !== undefined, (grants) => grants.where('grant_id', '>', after ?? ''))
          .orderBy('grant_id')
          .limit(limit)
          .execute()
      return acceptedPage(page, fetch, (row) => row.grant_id, accept)
    },
    // Counts rows unchecked: a forged one can only use up the key's quota of grants.
    async countGrants(key, grantee) {
      const { count } = await query
        .selectFrom('grants')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where((row) => isOfKey(row, key))
        .$if(grantee !== undefined, (grants) => grants.where('grantee', '=', grantee ?? ''))
        .executeTakeFirstOrThrow()
      return count
    },
  }
}

export function grantWrites({ query, rows, touch }: WriteScope): Writes {
  const touchGrant = (grant: GrantRecord): void => {
    const { accountId, region, keyId } = grant
    touch({ kind: 'grant', accountId, region, id: `${keyId}/${granteeOf(grant)}` })
  }
  return {
    async insertGrant(grant) {
      const record = { ...grant, rowVersion: 1 }
      await query
        .insertInto('grants')
        .values(rows.seal('grants', columnsOf(record)))
        .execute()
      touchGrant(record)
      return record
    },
    async renameGrantee({ userId: uniqueId, ...place }) {
      const found = await query
        .selectFrom('grants')
        .selectAll()
        .where((row) => row.or({ grantee_id: uniqueId, retiree_id: uniqueId }))
        .execute()
      for (const each of found) {
        const row = rows.genuine('grants', primaryKeyOf(each), each)
        if (row === undefined) continue
        const grant = grantOf(row)
        const changed = {
          ...grant,
          ...(grant.granteeId === uniqueId && {
            granteePrincipal: renamed(grant.granteePrincipal, place),
          }),
          ...(grant.retiringId === uniqueId && {
            retiringPrincipal: renamed(grant.retiringPrincipal, place),
          }),
          rowVersion: grant.rowVersion + 1,
        }
        // oxlint-disable-next-line no-await-in-loop -- statements of one transaction
        await query
          .updateTable('grants')
          .set(rows.seal('grants', columnsOf(changed)))
          .where((one) => isGrant(one, grant))
          .execute()
        touchGrant(grant)
        touchGrant(changed)
      }
    },
    async deleteGrant(grant) {
      const { numDeletedRows } = await query
        .deleteFrom('grants')
        .where((row) => isGrant(row, grant))
        .executeTakeFirst()
      if (numDeletedRows !== 1n) throw new StaleRow(`grant ${grant.grantId}`)
      touchGrant(grant)
    },
  }
}

type Row = ExpressionBuilder<Schema, 'grants'>

function isOfKey(row: Row, { accountId, region, keyId }: KeyRef): Expression<SqlBool> {
  return row.and({ account_id: accountId, region, key_id: keyId })
}

function isGrant(row: Row, { accountId, region, keyId, grantId }: GrantRef): Expression<SqlBool> {
  return row.and({ account_id: accountId, region, key_id: keyId, grant_id: grantId })
}

function primaryKeyOf(row: GrantsTable): readonly string[] {
  return [row.account_id, row.region, row.key_id, row.grant_id]
}

/** In the partition of its key's Region, as it was. */
function renamed(arn: string | undefined, user: NamedPlace): string {
  return userArn(parseArn(arn ?? '')?.partition ?? 'aws', user)
}

function columnsOf(grant: GrantRecord): Omit<GrantsTable, 'row_tag'> {
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

/** A genuine row was made by `columnsOf`: its words and its JSON are the record's. */
function grantOf(row: GrantsTable): GrantRecord {
  const { grantee, grantee_id: granteeId, retiree, retiree_id: retiringId } = row
  return {
    accountId: row.account_id,
    region: row.region,
    keyId: row.key_id,
    grantId: row.grant_id,
    ...(row.name !== null && { name: row.name }),
    // A principal has a unique id, a service has none.
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
