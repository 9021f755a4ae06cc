/** Tables of tombstones, as Kysely sees them. @module */

/** The tombstone of a deleted key. */
export interface DeletedKeysTable {
  readonly account_id: string
  readonly region: string
  readonly key_id: string
  /** A JSON array: versions of the domain keys that wrapped its materials. */
  readonly wrapping_versions: string
  readonly deleted_at: number
  /**
   * The latest seal of the root key at the time; null in rows from when there was only the first.
   */
  readonly seal_generation: number | null
  readonly row_tag: Uint8Array
}

/** The tombstone of a material that was deleted from an existing key. */
export interface DeletedMaterialsTable {
  readonly account_id: string
  readonly key_id: string
  readonly material_id: string
  readonly wrapping_version: number
  /** The latest seal of the root key at the time. */
  readonly seal_generation: number
  readonly row_tag: Uint8Array
}
