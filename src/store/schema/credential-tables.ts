/** The tables of credentials: access keys, and services with their one key each. @module */

export interface AccessKeysTable {
  readonly access_key_id: string
  readonly account_id: string
  readonly principal_kind: string
  readonly principal_id: string
  readonly status: string
  readonly wrapping_version: number
  readonly wrapped_secret: Uint8Array
  readonly created_at: number
  readonly row_version: number
  readonly row_tag: Uint8Array
}

export interface ServicesTable {
  readonly name: string
  readonly region: string
  readonly access_key_id: string
  /** A JSON array. */
  readonly hosts: string
  readonly wrapping_version: number
  readonly wrapped_secret: Uint8Array
  readonly created_at: number
  readonly row_version: number
  readonly row_tag: Uint8Array
}
