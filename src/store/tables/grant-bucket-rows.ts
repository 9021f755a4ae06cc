/**
 * The rows of grant buckets, which propose grants that may allow a call. They are never trusted: a
 * grant counts only by its own row, so a forged or missing bucket row allows nothing.
 * @module
 */
import { type Expression, type ExpressionBuilder, type Kysely, type SqlBool, sql } from 'kysely'
import { granteeOf, type GrantRecord } from '../../model/grant.ts'
import { bucketChoices } from '../../model/grant-buckets.ts'
import { termsOf } from '../../model/grant-terms.ts'
import type { KeyRef } from '../../model/key.ts'
import { defer } from '../deferred.ts'
import type { Row, Schema } from '../schema/schema.ts'

/** A position in a bucket. */
export interface BucketPlace {
  readonly bucket: string
  /** Only grants after this id; empty for the start of the bucket. */
  readonly after: string
}

/** SQLite joins at most 500 selections in one statement. */
export const bucketsInStatementMax = 100

/** Returns the first rows of each bucket, without checking tags. */
export async function rowsInBuckets(
  query: Kysely<Schema>,
  key: KeyRef,
  places: readonly BucketPlace[],
  limitEach: number,
): Promise<readonly (Row<'grants'> & { readonly bucket: string })[]> {
  const pages = places.map(
    ({ bucket, after }) => sql`select * from (select bucket, grant_id from grant_buckets
      where account_id = ${key.accountId} and region = ${key.region} and key_id = ${key.keyId}
      and bucket = ${bucket} and grant_id > ${after} order by grant_id limit ${limitEach}) as page`,
  )
  const found = sql<{ readonly bucket: string; readonly grant_id: string }>`(${sql.join(
    pages,
    sql` union all `,
  )})`
  return query
    .selectFrom(found.as('found'))
    .innerJoin('grants', (join) =>
      join
        .onRef('grants.grant_id', '=', 'found.grant_id')
        .on('grants.account_id', '=', key.accountId)
        .on('grants.region', '=', key.region)
        .on('grants.key_id', '=', key.keyId),
    )
    .selectAll('grants')
    .select('found.bucket')
    .execute()
}

/**
 * A grant with several context parts is filed under the one with the fewest grants, counted up to
 * here.
 */
const crowdMax = 64

/** Files a new grant in its buckets. */
export async function fileGrant(
  query: Kysely<Schema>,
  grant: Omit<GrantRecord, 'rowVersion'>,
): Promise<void> {
  const choices = bucketChoices(granteeOf(grant), termsOf(grant))
  let [best] = choices
  if (choices.length > 1) {
    let fewest = Infinity
    for (const names of choices) {
      const crowd = await crowdOf(query, grant, names[0] ?? '')
      if (crowd < fewest) best = names
      fewest = Math.min(fewest, crowd)
      if (fewest === 0) break
    }
  }
  if (best.length === 0) return
  const { accountId: account_id, region, keyId: key_id, grantId: grant_id } = grant
  const filed = best.map((bucket) => ({ account_id, region, key_id, bucket, grant_id }))
  await defer(query, query.insertInto('grant_buckets').values(filed))
}

async function crowdOf(query: Kysely<Schema>, key: KeyRef, bucket: string): Promise<number> {
  const some = query
    .selectFrom('grant_buckets')
    .select('grant_id')
    .where((row) => isOfKey(row, key))
    .where('bucket', '=', bucket)
    .limit(crowdMax)
  const { count } = await query
    .selectFrom(some.as('some'))
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** Removes a grant from every bucket that it may be in. */
export async function unfileGrant(
  query: Kysely<Schema>,
  grant: Omit<GrantRecord, 'rowVersion'>,
): Promise<void> {
  const buckets = bucketChoices(granteeOf(grant), termsOf(grant)).flat()
  if (buckets.length === 0) return
  await query
    .deleteFrom('grant_buckets')
    .where((row) => isOfKey(row, grant))
    .where('bucket', 'in', buckets)
    .where('grant_id', '=', grant.grantId)
    .execute()
}

function isOfKey(
  row: ExpressionBuilder<Schema, 'grant_buckets'>,
  { accountId, region, keyId }: KeyRef,
): Expression<SqlBool> {
  return row.and({ account_id: accountId, region, key_id: keyId })
}
