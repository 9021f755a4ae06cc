/** Reads the grants of a key to one grantee, page by page. @module */
import { termsOf, type GrantTerms } from '../model/grant-terms.ts'
import type { KeyRef } from '../model/key.ts'
import type { StoreReads } from '../store/store.ts'

/** Rows in one statement: a few milliseconds of the store thread, and as much of the calling thread. */
export const pageRows = 250

/**
 * Passes the grants to `take` page by page, until it returns false.
 * @throws when the rows cannot be read
 */
export type ReadGrants = (
  key: KeyRef,
  grantee: string,
  take: (page: readonly GrantTerms[]) => boolean | Promise<boolean>,
) => Promise<void>

/** Reads on the calling thread. */
export function readGrantsFrom(store: Pick<StoreReads, 'listGrants'>): ReadGrants {
  return async (key, grantee, take) => {
    let after: string | undefined
    for (;;) {
      const page = { limit: pageRows, fetched: pageRows, ...(after !== undefined && { after }) }
      const grants = await store.listGrants(key, { ...page, grantee })
      after = grants.at(-1)?.grantId
      if (!(await take(grants.map(termsOf))) || grants.length < pageRows) return
    }
  }
}
