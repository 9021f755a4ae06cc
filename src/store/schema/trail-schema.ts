/** The tables of trails, of the journal's writers and of delivery. @module */

export interface TrailsTable {
  readonly account_id: string
  readonly home_region: string
  readonly name: string
  readonly bucket: string
  readonly prefix: string | null
  /** 1 for yes, like the columns below. */
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

/** The streams of the audit journal. */
export interface AuditWritersTable {
  readonly stream: string
  readonly first_segment: number
  readonly first_hash: string | null
  readonly first_records: number
  readonly checkpoint: string | null
  readonly signature: Uint8Array | null
  readonly row_tag: Uint8Array
}

/** The end of the records of each stream that are in files. */
export interface DeliveryCursorsTable {
  readonly stream: string
  readonly segment: number
  readonly position: number
  readonly row_tag: Uint8Array
}

/** Files on their way, or not listed by a digest yet. */
export interface DeliveryFilesTable {
  readonly sequence: number
  readonly trail: string
  readonly region: string
  readonly made_at: number
  /** 1 for yes, like the columns below. */
  readonly delivered: number
  readonly notified: number
  readonly listed: number
  readonly stream: string | null
  readonly segment: number | null
  /** A JSON object that describes the whole file. */
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

/** The state of delivery of each trail. It decides nothing, so it has no row tag. */
export interface TrailStatusTable {
  readonly trail: string
  /** A JSON object. */
  readonly status: string
}
