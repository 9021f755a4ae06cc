/**
 * Finds the grants that allow a call in the store, by their buckets. It reads a few rows, however
 * many grants there are.
 * @module
 */
import type { GrantName } from '../policy/caller-names.ts'
import { createGrantSet, type FoundGrant } from '../policy/grant-set.ts'
import { granteeOf } from '../model/grant.ts'
import { bucketsAsked } from '../model/grant-buckets.ts'
import { termsOf, type AskedTerms } from '../model/grant-terms.ts'
import type { KeyRef } from '../model/key.ts'
import { bucketsInStatementMax, type BucketPlace } from '../store/tables/grant-bucket-rows.ts'
import type { Store } from '../store/store.ts'

/**
 * Rows that one question may read, and rows that one statement reads before other callers have
 * their turn.
 */
const rowsMax = 2000
const rowsInStatementMax = 100

/** @returns undefined if it would have to read too many rows */
export async function findInBuckets(
  key: KeyRef,
  { grantee, granteeId }: GrantName,
  asked: AskedTerms,
  most: number,
  store: Pick<Store, 'grantsInBuckets'>,
): Promise<readonly FoundGrant[] | undefined> {
  const set = createGrantSet()
  let rows = 0
  for (const buckets of chunks(bucketsAsked(grantee, granteeId, asked), bucketsInStatementMax)) {
    let open: readonly BucketPlace[] = buckets.map((bucket) => ({ bucket, after: '' }))
    while (open.length > 0) {
      const limitEach = Math.ceil(rowsInStatementMax / open.length)
      const page = await store.grantsInBuckets(key, open, limitEach)
      for (const { grant } of page) {
        if (grant !== undefined && granteeOf(grant) === grantee) set.put(termsOf(grant))
      }
      const found = set.find(asked, granteeId, most)
      if (found === undefined || found.length >= most) return found
      rows += page.length
      if (rows > rowsMax) return found.length > 0 ? found : undefined
      open = rest(page, limitEach)
    }
  }
  return set.find(asked, granteeId, most)
}

/** The buckets that may hold more rows, each with the place where the page ended. */
function rest(
  page: readonly { readonly bucket: string; readonly grantId: string }[],
  limitEach: number,
): readonly BucketPlace[] {
  const seen = new Map<string, { rows: number; after: string }>()
  for (const { bucket, grantId } of page) {
    const { rows, after } = seen.get(bucket) ?? { rows: 0, after: '' }
    seen.set(bucket, { rows: rows + 1, after: grantId > after ? grantId : after })
  }
  return [...seen].flatMap(([bucket, { rows, after }]) =>
    rows < limitEach ? [] : [{ bucket, after }],
  )
}

function* chunks<T>(values: Iterable<T>, size: number): Generator<T[]> {
  let chunk: T[] = []
  for (const value of values) {
    chunk.push(value)
    if (chunk.length < size) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}
