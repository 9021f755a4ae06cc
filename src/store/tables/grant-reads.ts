/** What can be read of grants: a part of the port of `store.ts`. @module */
import type { GrantRecord, GrantRef } from '../../model/grant.ts'
import type { KeyRef } from '../../model/key.ts'
import type { BucketPlace } from './grant-bucket-rows.ts'
import type { Page } from '../page.ts'

export interface GrantReads {
  findGrant(ref: GrantRef): Promise<GrantRecord | undefined>
  /** A grant that was made for the same request by the same name: `requestDigest` of `model/grant.ts`. */
  findSameGrant(key: KeyRef, requestDigest: string): Promise<GrantRecord | undefined>
  /** Those of a key's grants that exist, in no order. At most some hundred ids. */
  findGrants(key: KeyRef, grantIds: readonly string[]): Promise<readonly GrantRecord[]>
  /**
   * The first grants of each bucket (`model/grant-buckets.ts`) by grant id: they may give a call, and are
   * to be compared with it. `grant` is left out for a row that is not genuine.
   */
  grantsInBuckets(
    key: KeyRef,
    places: readonly BucketPlace[],
    limitEach: number,
  ): Promise<
    readonly { readonly bucket: string; readonly grantId: string; readonly grant?: GrantRecord }[]
  >
  /**
   * Grants of a key by grant id, of one grantee when it is given.
   * @param page.fetched rows that one statement answers, where the page is longer
   */
  listGrants(
    key: KeyRef,
    page: Page & {
      readonly grantee?: string
      readonly granteeId?: string
      readonly fetched?: number
    },
  ): Promise<readonly GrantRecord[]>
  /** Grants of a Region on every account's keys, or on those of one, by who may retire them. */
  listRetirableGrants(
    region: string,
    page: Page & {
      readonly retiree: string
      readonly retireeId?: string
      readonly accountId?: string
    },
  ): Promise<readonly GrantRecord[]>
  /** Grants of a key, to one grantee when it is given: an ARN or a service principal. */
  countGrants(key: KeyRef, grantee?: string): Promise<number>
}
