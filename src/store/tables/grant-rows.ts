/**
 * The rows of grants. A grant is written once and deleted once. A forged row counts as absent, so
 * it allows nothing.
 * @module
 */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import { granteeOf, type GrantRecord, type GrantRef } from '../../model/grant.ts'
import { parseArn } from '../../model/arn.ts'
import type { NamedPlace } from '../../model/identity.ts'
import type { KeyRef } from '../../model/key.ts'
import { userArn } from '../../model/user.ts'
import { acceptedPage } from '../bound-rows.ts'
import { grantChangeId, noRow } from '../change.ts'
import { fileGrant, rowsInBuckets, unfileGrant } from './grant-bucket-rows.ts'
import { columnsOf, grantOf } from './grant-columns.ts'
import type { GrantReads } from './grant-reads.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type { GrantsTable } from '../schema/schema.ts'
import type { Schema } from '../schema/schema.ts'
import { type Transaction, StaleRow } from '../store.ts'

type Writes = Pick<Transaction, 'insertGrant' | 'renameGrantee' | 'deleteGrant'>

/** A page of ListGrants, with one more row that shows whether there is a next page. */
const fetchedMax = 101

export function grantReads({ query, rows }: RowScope): GrantReads {
  const accept = (found: GrantsTable | undefined): GrantRecord | undefined => {
    const row = found && rows.genuine('grants', primaryKeyOf(found), found)
    return row && grantOf(row)
  }
  const all = query.selectFrom('grants').selectAll()
  const listGrants: GrantReads['listGrants'] = (key, { grantee, granteeId, ...page }) => {
    const fetch = (after: string | undefined, limit: number): Promise<readonly GrantsTable[]> =>
      all
        .where((row) => isOfKey(row, key))
        .$if(grantee !== undefined, (grants) => grants.where('grantee', '=', grantee ?? ''))
        .$if(granteeId !== undefined, (grants) => grants.where('grantee_id', '=', granteeId ?? ''))
        .$if(after !== undefined, (grants) => grants.where('grant_id', '>', after ?? ''))
        .orderBy('grant_id')
        .limit(limit)
        .execute()
    return acceptedPage(page, fetch, (row) => row.grant_id, accept, page.fetched ?? fetchedMax)
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
    async findGrants(key, grantIds) {
      if (grantIds.length === 0) return []
      const found = await all
        .where((row) => isOfKey(row, key))
        .where('grant_id', 'in', grantIds)
        .execute()
      return found.flatMap((row) => accept(row) ?? [])
    },
    async grantsInBuckets(key, places, limitEach) {
      const found = await rowsInBuckets(query, key, places, limitEach)
      return found.map(({ bucket, ...row }) => {
        const grant = accept(row)
        const { grant_id: grantId } = row
        // The rows of a join are not checked against the query elsewhere (`asked-rows.ts`).
        const isAsked = grant !== undefined && grantKeyOf(grant) === grantKeyOf({ ...key, grantId })
        return { bucket, grantId, ...(isAsked && { grant }) }
      })
    },
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
      return acceptedPage(page, fetch, (row) => row.grant_id, accept, fetchedMax)
    },
    countGrants: (key, grantee) => countGrants(query, key, grantee),
  }
}

/** Counts without checking tags: a forged row can only use up the key's quota of grants. */
async function countGrants(
  query: RowScope['query'],
  key: KeyRef,
  grantee: string | undefined,
): Promise<number> {
  const { count } = await query
    .selectFrom('grants')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where((row) => isOfKey(row, key))
    .$if(grantee !== undefined, (grants) => grants.where('grantee', '=', grantee ?? ''))
    .executeTakeFirstOrThrow()
  return count
}

export function grantWrites({ query, rows, touch }: WriteScope): Writes {
  const touchGrant = (grant: GrantRecord, rowVersion: number): void => {
    const { accountId, region } = grant
    const id = grantChangeId({ ...grant, grantee: granteeOf(grant) })
    touch({ kind: 'grant', accountId, region, id }, rowVersion)
  }
  return {
    async insertGrant(grant) {
      const record = { ...grant, rowVersion: 1 }
      await query
        .insertInto('grants')
        .values(rows.seal('grants', columnsOf(record)))
        .execute()
      await fileGrant(query, record)
      touchGrant(record, 1)
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
        // Its buckets do not change, because they name principals by unique ids.
        await query
          .updateTable('grants')
          .set(rows.seal('grants', columnsOf(changed)))
          .where((one) => isGrant(one, grant))
          .execute()
        touchGrant(grant, changed.rowVersion)
        touchGrant(changed, changed.rowVersion)
      }
    },
    async deleteGrant(grant) {
      const { numDeletedRows } = await query
        .deleteFrom('grants')
        .where((row) => isGrant(row, grant))
        .executeTakeFirst()
      if (numDeletedRows !== 1n) throw new StaleRow(`grant ${grant.grantId}`)
      await unfileGrant(query, grant)
      touchGrant(grant, noRow)
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

function grantKeyOf({ accountId, region, keyId, grantId }: GrantRef): string {
  return `${accountId}/${region}/${keyId}/${grantId}`
}

function primaryKeyOf(row: GrantsTable): readonly string[] {
  return [row.account_id, row.region, row.key_id, row.grant_id]
}

/** The renamed ARN, in the same partition as before. */
function renamed(arn: string | undefined, user: NamedPlace): string {
  return userArn(parseArn(arn ?? '')?.partition ?? 'aws', user)
}
