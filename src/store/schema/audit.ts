/** The tables of trails, of the journal's writers and of delivery. @module */
import type { AuditWriter } from '../../model/audit-writer.ts'
import {
  readTrailText,
  trailText,
  type DeliveryCursor,
  type DeliveryFile,
  type DigestChain,
  type DigestKey,
} from '../../model/delivery.ts'
import type { TrailRecord, TrailRef, TrailStatus } from '../../model/trail.ts'
import { accounts } from './accounts.ts'
import { bytes, flag, json, number, optional, rowTag, text } from './columns.ts'
import { tableOf } from './table.ts'

export const trails = tableOf<TrailRecord>()({
  name: 'trails',
  columns: {
    account_id: text('accountId'),
    home_region: text('homeRegion'),
    name: text('name'),
    bucket: text('bucket'),
    prefix: optional(text('prefix')),
    multi_region: flag('multiRegion'),
    global_events: flag('includeGlobalServiceEvents'),
    validation: flag('logFileValidation'),
    kms_key_id: optional(text('kmsKeyId')),
    topic_arn: optional(text('topicArn')),
    selectors: json('selectors'),
    logging: flag('isLogging'),
    started_at: optional(number('startedAt')),
    stopped_at: optional(number('stoppedAt')),
    created_at: number('createdAt'),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  primaryKey: ['account_id', 'home_region', 'name'],
  references: [{ columns: ['account_id'], to: accounts }],
  change: { kind: 'trail', account: 'account_id', region: 'home_region', id: ['name'] },
  emptied: true,
})

/** The state of delivery of each trail. It decides nothing, so it has no row tag. */
export const trailStatus = tableOf<{ readonly trail: TrailRef; readonly status: TrailStatus }>()({
  name: 'trail_status',
  columns: { trail: text(), status: json('status') },
  compose: {
    columns: ({ trail }) => ({ trail: trailText(trail) }),
    members: ['trail'],
    read: ({ trail }) => ({ trail: readTrailText(trail) }),
  },
  primaryKey: ['trail'],
})

/** The streams of the audit journal. */
export const auditWriters = tableOf<AuditWriter>()({
  name: 'audit_writers',
  columns: {
    stream: text('stream'),
    node_id: optional(text('nodeId')),
    first_segment: number(),
    first_hash: optional(text()),
    first_records: number(),
    checkpoint: optional(text()),
    signature: optional(bytes()),
    row_tag: rowTag,
  },
  compose: {
    columns: ({ first, checkpoint }) => ({
      first_segment: first.segment,
      first_hash: first.hash,
      first_records: first.records,
      checkpoint: checkpoint?.text ?? null,
      signature: checkpoint?.signature ?? null,
    }),
    members: ['first', 'checkpoint'],
    read: ({ checkpoint, signature, ...row }) => ({
      first: { segment: row.first_segment, hash: row.first_hash, records: row.first_records },
      ...(checkpoint !== null &&
        signature !== null && { checkpoint: { text: checkpoint, signature } }),
    }),
  },
  primaryKey: ['stream'],
})

/** The end of the records of each stream that are in files. */
export const deliveryCursors = tableOf<DeliveryCursor>()({
  name: 'delivery_cursors',
  columns: {
    stream: text('stream'),
    segment: number('segment'),
    position: number('offset'),
    row_tag: rowTag,
  },
  primaryKey: ['stream'],
})

/** Files on their way, or not listed by a digest yet. */
export const deliveryFiles = tableOf<{ readonly file: DeliveryFile }>()({
  name: 'delivery_files',
  columns: {
    /** The whole file. The other columns repeat what queries select by. */
    file: json('file'),
    /** Empty in an embedded database. */
    node_id: text(),
    sequence: number(),
    trail: text(),
    region: text(),
    made_at: number(),
    delivered: flag(),
    notified: flag(),
    listed: flag(),
    stream: optional(text()),
    segment: optional(number()),
    row_tag: rowTag,
  },
  compose: {
    columns: ({ file }) => ({
      node_id: file.nodeId ?? '',
      sequence: file.sequence,
      trail: trailText(file.trail),
      region: file.region,
      made_at: file.madeAt,
      delivered: Number(file.deliveredAt !== undefined),
      notified: Number(file.isNotified),
      listed: Number(file.isListed),
      stream: file.range?.stream ?? null,
      segment: file.range?.segment ?? null,
    }),
  },
  primaryKey: ['node_id', 'sequence'],
  indexes: [
    { name: 'delivery_files_pending', columns: ['node_id', 'delivered', 'sequence'] },
    {
      name: 'delivery_files_unlisted',
      columns: ['listed', 'trail', 'region', 'node_id', 'sequence'],
    },
  ],
})

export const digestChains = tableOf<DigestChain>()({
  name: 'digest_chains',
  columns: {
    trail: text(),
    region: text('region'),
    ended_at: number('end'),
    last: optional(json('last')),
    row_tag: rowTag,
  },
  compose: {
    columns: ({ trail }) => ({ trail: trailText(trail) }),
    members: ['trail'],
    read: ({ trail }) => ({ trail: readTrailText(trail) }),
  },
  primaryKey: ['trail', 'region'],
})

export const digestKeys = tableOf<DigestKey>()({
  name: 'digest_keys',
  columns: {
    fingerprint: text('fingerprint'),
    public_key: bytes('value'),
    wrapping_version: number('wrappingVersion'),
    wrapped: bytes('wrapped'),
    valid_from: number('validFrom'),
    valid_until: number('validUntil'),
    row_tag: rowTag,
  },
  primaryKey: ['fingerprint'],
})

/** A public key that signed statements of the deployment, and belongs to a domain key that is gone. */
export interface RetiredKey {
  /** The version of the domain key. */
  readonly version: number
  /** SPKI, DER. */
  readonly publicKey: Uint8Array
}

export const retiredKeys = tableOf<RetiredKey>()({
  name: 'retired_keys',
  columns: { version: number('version'), public_key: bytes('publicKey'), row_tag: rowTag },
  primaryKey: ['version'],
})
