/** The tables of the deployment: its root key, its domain keys and its clock. @module */
import { bytes, number, optional, rowTag, text } from './columns.ts'
import { table, tableOf } from './table.ts'

/** One row, with the id 1: the deployment of this database. */
export const deployment = tableOf<{
  readonly id: number
  readonly deploymentId: string
  readonly createdAt: number
}>()({
  name: 'deployment',
  columns: {
    id: number('id'),
    deployment_id: text('deploymentId'),
    created_at: number('createdAt'),
  },
  primaryKey: ['id'],
})

export interface SealRecord {
  /** The kind of seal that opens it. */
  readonly kind: string
  readonly generation: number
  readonly sealedRootKey: Uint8Array
}

/** The sealed root key. The row with the highest generation is the current one. */
export const seals = tableOf<SealRecord>()({
  name: 'seals',
  columns: {
    generation: number('generation'),
    kind: text('kind'),
    sealed_root_key: bytes('sealedRootKey'),
  },
  primaryKey: ['generation'],
})

export interface OtherSealRecord {
  /** `recovery`, or a seal that its holders have not proved yet: `next`, `next-recovery`. */
  readonly role: string
  /** The kind of seal that opens it. */
  readonly kind: string
  readonly sealedRootKey: Uint8Array
  readonly createdAt: number
  /** Proves that a server of this deployment made it (`other-seals.ts`). */
  readonly tag?: Uint8Array
}

/** Seals of the same root key that do not open it at a usual start. */
export const otherSeals = tableOf<OtherSealRecord>()({
  name: 'other_seals',
  columns: {
    role: text('role'),
    kind: text('kind'),
    sealed_root_key: bytes('sealedRootKey'),
    created_at: number('createdAt'),
    tag: optional(bytes('tag')),
  },
  primaryKey: ['role'],
})

export interface DomainKeyRecord {
  readonly version: number
  /** `iv ‖ ciphertext ‖ tag`. */
  readonly wrapped: Uint8Array
  readonly createdAt: number
}

export const domainKeys = tableOf<DomainKeyRecord>()({
  name: 'domain_keys',
  columns: {
    version: number('version'),
    wrapped: bytes('wrapped'),
    created_at: number('createdAt'),
  },
  primaryKey: ['version'],
})

/** One row, with the id 1: the latest time at which anything was decided. */
export const clockMark = tableOf<{ readonly id: number; readonly reached: number }>()({
  name: 'clock_mark',
  columns: { id: number('id'), reached: number('reached'), row_tag: rowTag },
  primaryKey: ['id'],
})

export interface RestorationRecord {
  /** Sessions that were issued up to this time are over. Milliseconds since the epoch. */
  readonly restoredAt: number
  /** The number of the last change in the backup. */
  readonly change: number
}

/** Each restoration of the deployment from a backup. */
export const restorations = tableOf<RestorationRecord>()({
  name: 'restorations',
  columns: { restored_at: number('restoredAt'), change: number('change'), row_tag: rowTag },
  primaryKey: ['restored_at'],
})

/** Which node does work that need not be done twice. Nothing relies on it to be right. */
export const leases = table({
  name: 'leases',
  columns: { name: text(), holder: text(), expires_at: number() },
  primaryKey: ['name'],
})

/** The versions of the schema that ran (`migrations.ts`). No migration creates it. */
export const schemaMigrations = table({
  name: 'schema_migrations',
  columns: { version: number(), name: text() },
  primaryKey: ['version'],
})
