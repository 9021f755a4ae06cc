/**
 * The rows of grants. A grant is written once and deleted once. A forged row counts as absent, so
 * it allows nothing.
 * @module
 */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import { type GrantRecord, type GrantRef } from '../../model/grant.ts'
import { parseArn } from '../../model/arn.ts'
import type { NamedPlace } from '../../model/identity.ts'
import type { KeyRef } from '../../model/key.ts'
import { userArn, type UserRecord } from '../../model/user.ts'
import type { Page } from '../page.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { grants } from '../schema/grants.ts'
import type { Row, Schema } from '../schema/schema.ts'
import { fileGrant, rowsInBuckets, unfileGrant, type BucketPlace } from './grant-bucket-rows.ts'
import { changeOf, countRows, tableReads, tableWrites } from './table-rows.ts'

export interface GrantReads {
  findGrant(ref: GrantRef): Promise<GrantRecord | undefined>
  /**
   * The grant of an earlier identical request with the same name: `requestDigest` of
   * `model/grant.ts`.
   */
  findSameGrant(key: KeyRef, requestDigest: string): Promise<GrantRecord | undefined>
  /** Those of a key's grants that exist, in any order. Pass at most a few hundred ids. */
  findGrants(key: KeyRef, grantIds: readonly string[]): Promise<readonly GrantRecord[]>
  /**
   * The first grants of each bucket (`model/grant-buckets.ts`), by grant id. They may allow a call;
   * compare each with it. `grant` is absent if its row is forged.
   */
  grantsInBuckets(
    key: KeyRef,
    places: readonly BucketPlace[],
    limitEach: number,
  ): Promise<
    readonly { readonly bucket: string; readonly grantId: string; readonly grant?: GrantRecord }[]
  >
  /**
   * Grants of a key by grant id; those of one grantee if it is given.
   * @param page.fetched rows in one statement, if the page is longer
   */
  listGrants(
    key: KeyRef,
    page: Page & {
      readonly grantee?: string
      readonly granteeId?: string
      readonly fetched?: number
    },
  ): Promise<readonly GrantRecord[]>
  /**
   * Grants of a Region by the principal that may retire them, on the keys of all accounts or of
   * one.
   */
  listRetirableGrants(
    region: string,
    page: Page & {
      readonly retiree: string
      readonly retireeId?: string
      readonly accountId?: string
    },
  ): Promise<readonly GrantRecord[]>
  /**
   * Counts the grants of a key; those to one grantee (an ARN or a service principal) if it is
   * given.
   */
  countGrants(key: KeyRef, grantee?: string): Promise<number>
}

/** A grant that is not stored yet. */
export type NewGrant = Omit<GrantRecord, 'rowVersion'>

export interface GrantWrites {
  insertGrant(grant: NewGrant): Promise<GrantRecord>
  /** Updates a renamed user's name in the grants to it and in those that it may retire. */
  renameGrantee(user: UserRecord): Promise<void>
  /** @throws {StaleRow} if it no longer exists */
  deleteGrant(grant: GrantRecord): Promise<void>
}

/** A page of ListGrants, with one more row that shows whether there is a next page. */
const fetchedMax = 101

export function grantReads(scope: RowScope): GrantReads {
  const { query } = scope
  const { find, accept, acceptAll, page: pageOf } = tableReads(grants, scope)
  const all = () => query.selectFrom('grants').selectAll()
  return {
    findGrant: find,
    async findSameGrant(key, digest) {
      const found = await all()
        .where((row) => isOfKey(row, key))
        .where('request_digest', '=', digest)
        .execute()
      return acceptAll(found)[0]
    },
    async findGrants(key, grantIds) {
      if (grantIds.length === 0) return []
      const found = await all()
        .where((row) => isOfKey(row, key))
        .where('grant_id', 'in', grantIds)
        .execute()
      return acceptAll(found)
    },
    async grantsInBuckets(key, places, limitEach) {
      const found = await rowsInBuckets(query, key, places, limitEach)
      return found.map(({ bucket, ...row }) => {
        const grant = accept(row)
        const { grant_id: grantId } = row
        // The rows of a join are not checked against the query elsewhere (`asked-rows.ts`).
        const isAsked = grant !== undefined && nameOf(grant) === nameOf({ ...key, grantId })
        return { bucket, grantId, ...(isAsked && { grant }) }
      })
    },
    listGrants(key, { grantee, granteeId, fetched = fetchedMax, ...page }) {
      const fetch = (after: string | undefined, limit: number): Promise<readonly GrantRow[]> =>
        all()
          .where((row) => isOfKey(row, key))
          .$if(grantee !== undefined, (some) => some.where('grantee', '=', grantee ?? ''))
          .$if(granteeId !== undefined, (some) => some.where('grantee_id', '=', granteeId ?? ''))
          .$if(after !== undefined, (some) => some.where('grant_id', '>', after ?? ''))
          .orderBy('grant_id')
          .limit(limit)
          .execute()
      return pageOf(page, fetch, (row) => row.grant_id, { fetchedMax: fetched })
    },
    listRetirableGrants(region, { retiree, retireeId, accountId, ...page }) {
      const fetch = (after: string | undefined, limit: number): Promise<readonly GrantRow[]> =>
        all()
          .where('region', '=', region)
          .where('retiree', '=', retiree)
          .$if(retireeId !== undefined, (some) => some.where('retiree_id', '=', retireeId ?? ''))
          .$if(accountId !== undefined, (some) => some.where('account_id', '=', accountId ?? ''))
          .$if(after !== undefined, (some) => some.where('grant_id', '>', after ?? ''))
          .orderBy('grant_id')
          .limit(limit)
          .execute()
      return pageOf(page, fetch, (row) => row.grant_id, { fetchedMax })
    },
    countGrants: ({ accountId, region, keyId }, grantee) =>
      countRows(query, grants, {
        account_id: accountId,
        region,
        key_id: keyId,
        ...(grantee !== undefined && { grantee }),
      }),
  }
}

type GrantRow = Row<'grants'>

export function grantWrites(scope: WriteScope): GrantWrites {
  const { query, touch } = scope
  const { acceptAll } = tableReads(grants, scope)
  const writes = tableWrites(grants, scope, { isDeferred: true })
  return {
    async insertGrant(grant) {
      const inserted = await writes.insert(grant)
      await fileGrant(query, inserted)
      return inserted
    },
    async renameGrantee({ userId: uniqueId, ...place }) {
      const found = await query
        .selectFrom('grants')
        .selectAll()
        .where((row) => row.or({ grantee_id: uniqueId, retiree_id: uniqueId }))
        .execute()
      for (const grant of acceptAll(found)) {
        // Its buckets do not change, because they name principals by unique ids.
        const { rowVersion } = await writes.update(grant, {
          ...(grant.granteeId === uniqueId && {
            granteePrincipal: renamed(grant.granteePrincipal, place),
          }),
          ...(grant.retiringId === uniqueId && {
            retiringPrincipal: renamed(grant.retiringPrincipal, place),
          }),
        })
        // Caches hold it under its former grantee, too.
        touch(...changeOf(grants, grants.toRow(grant), rowVersion))
      }
    },
    async deleteGrant(grant) {
      await writes.delete(grant)
      await unfileGrant(query, grant)
    },
  }
}

function isOfKey(
  row: ExpressionBuilder<Schema, 'grants'>,
  { accountId, region, keyId }: KeyRef,
): Expression<SqlBool> {
  return row.and({ account_id: accountId, region, key_id: keyId })
}

function nameOf({ accountId, region, keyId, grantId }: GrantRef): string {
  return `${accountId}/${region}/${keyId}/${grantId}`
}

/** The renamed ARN, in the same partition as before. */
function renamed(arn: string | undefined, user: NamedPlace): string {
  return userArn(parseArn(arn ?? '')?.partition ?? 'aws', user)
}
