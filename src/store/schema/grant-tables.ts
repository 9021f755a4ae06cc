/** The tables of grants: a part of the schema. @module */

export interface GrantsTable {
  readonly account_id: string
  readonly region: string
  readonly key_id: string
  readonly grant_id: string
  readonly name: string | null
  /** An ARN, or a service principal where there is no `grantee_id`. */
  readonly grantee: string
  readonly grantee_id: string | null
  /** An ARN, or a service principal where there is no `retiree_id`. */
  readonly retiree: string | null
  readonly retiree_id: string | null
  readonly issuing_account_id: string
  /** A JSON array. */
  readonly operations: string
  /** A JSON object. */
  readonly constraints: string | null
  /** What is the same for repeated requests; of grants with a name only. */
  readonly request_digest: string | null
  readonly created_at: number
  readonly row_version: number
  readonly row_tag: Uint8Array
}

/** The buckets that hold a grant, by `model/grant-buckets.ts`. Nothing of it is believed. */
export interface GrantBucketsTable {
  readonly account_id: string
  readonly region: string
  readonly key_id: string
  readonly bucket: string
  readonly grant_id: string
}
