/** The tables of grants. @module */

export interface GrantsTable {
  readonly account_id: string
  readonly region: string
  readonly key_id: string
  readonly grant_id: string
  readonly name: string | null
  /** An ARN; a service principal if `grantee_id` is null. */
  readonly grantee: string
  readonly grantee_id: string | null
  /** An ARN; a service principal if `retiree_id` is null. */
  readonly retiree: string | null
  readonly retiree_id: string | null
  readonly issuing_account_id: string
  /** A JSON array. */
  readonly operations: string
  /** A JSON object. */
  readonly constraints: string | null
  /** Equal for repeated requests; only for grants with a name. */
  readonly request_digest: string | null
  readonly created_at: number
  readonly row_version: number
  readonly row_tag: Uint8Array
}

/**
 * The buckets of each grant (`model/grant-buckets.ts`). They only propose grants and are never
 * trusted.
 */
export interface GrantBucketsTable {
  readonly account_id: string
  readonly region: string
  readonly key_id: string
  readonly bucket: string
  readonly grant_id: string
}
