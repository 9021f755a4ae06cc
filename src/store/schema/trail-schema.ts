/** The tables of trails, of the journal's writers and of delivery, as `schema.ts` says of all. @module */

export interface TrailsTable {
  readonly account_id: string
  readonly home_region: string
  readonly name: string
  readonly bucket: string
  readonly prefix: string | null
  /** 1 for yes, as those below. */
  readonly multi_region: number
  readonly global_events: number
  readonly validation: number
  readonly kms_key_id: string | null
  readonly topic_arn: string | null
  /** A JSON array. */
  readonly selectors: string
  readonly logging: number
  readonly started_at: number | null
  readonly stopped_at: number | null
  readonly created_at: number
  readonly row_version: number
  readonly row_tag: Uint8Array
}

/** The audit journal's streams. */
export interface AuditWritersTable {
  readonly stream: string
  readonly first_segment: number
  readonly first_hash: string | null
  readonly first_records: number
  readonly checkpoint: string | null
  readonly signature: Uint8Array | null
  readonly row_tag: Uint8Array
}

/** Up to where each stream of the journal has been put into files. */
export interface DeliveryCursorsTable {
  readonly stream: string
  readonly segment: number
  readonly position: number
  readonly row_tag: Uint8Array
}

/** Files that are on their way, or that no digest names yet. */
export interface DeliveryFilesTable {
  readonly sequence: number
  readonly trail: string
  readonly region: string
  readonly made_at: number
  /** 1 for yes, as those below. */
  readonly delivered: number
  readonly notified: number
  readonly listed: number
  readonly stream: string | null
  readonly segment: number | null
  /** A JSON object: the whole file's description. */
  readonly file: string
  readonly row_tag: Uint8Array
}

export interface DigestChainsTable {
  readonly trail: string
  readonly region: string
  readonly ended_at: number
  /** A JSON object; null before the first digest. */
  readonly last: string | null
  readonly row_tag: Uint8Array
}

export interface DigestKeysTable {
  readonly fingerprint: string
  readonly public_key: Uint8Array
  readonly wrapping_version: number
  readonly wrapped: Uint8Array
  readonly valid_from: number
  readonly valid_until: number
  readonly row_tag: Uint8Array
}

/** What delivery has come to. Decides nothing: no row tag. */
export interface TrailStatusTable {
  readonly trail: string
  /** A JSON object. */
  readonly status: string
}
