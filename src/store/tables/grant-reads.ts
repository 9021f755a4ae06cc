/** The reads of grants in the store's interface. @module */
import type { GrantRecord, GrantRef } from '../../model/grant.ts'
import type { KeyRef } from '../../model/key.ts'
import type { BucketPlace } from './grant-bucket-rows.ts'
import type { Page } from '../page.ts'

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
