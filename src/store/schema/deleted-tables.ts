/** Tables of tombstones, as Kysely sees them. @module */

/** What is left of a key that was deleted. */
export interface DeletedKeysTable {
  readonly account_id: string
  readonly region: string
  readonly key_id: string
  /** A JSON array: the domain keys that its materials were wrapped by. */
  readonly wrapping_versions: string
  readonly deleted_at: number
  /** The latest seal of the root key then; null in rows from when there was only the first. */
  readonly seal_generation: number | null
  readonly row_tag: Uint8Array
}

/** What is left of a material that was taken from a key that lives on. */
export interface DeletedMaterialsTable {
  readonly account_id: string
  readonly key_id: string
  readonly material_id: string
  readonly wrapping_version: number
  /** The latest seal of the root key then. */
  readonly seal_generation: number
  readonly row_tag: Uint8Array
}
