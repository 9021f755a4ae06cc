/**
 * The rows of delivery. They are not numbered changes, because no cache holds them. Rows that a
 * digest will sign carry tags, so that an attacker who can write the database cannot have his own
 * content signed.
 * @module
 */
import {
  trailText,
  type DeliveryCursor,
  type DeliveryFile,
  type DigestChain,
} from '../../model/delivery.ts'
import type { DeliveryStore } from '../delivery-store.ts'
import type { RowScope } from '../row-scope.ts'
import {
  deliveryCursors,
  deliveryFiles,
  digestChains,
  digestKeys,
  trailStatus,
} from '../schema/audit.ts'
import type { Row } from '../schema/schema.ts'
import { countRows, insertRecords, saveRecord, tableReads } from './table-rows.ts'

const unlistedMax = 10_000

type FileReads = Pick<
  DeliveryStore,
  | 'listUndelivered'
  | 'listUnnotified'
  | 'listUnlisted'
  | 'listFinishedFiles'
  | 'countUndelivered'
  | 'lastDeliverySequence'
  | 'firstUndeliveredSegment'
>

export function deliveryFileReads(scope: RowScope): FileReads {
  const { query } = scope
  const { acceptAll } = tableReads(deliveryFiles, scope)
  const accept = (found: readonly Row<'delivery_files'>[]): readonly DeliveryFile[] =>
    acceptAll(found).map(({ file }) => file)
  const files = () => query.selectFrom('delivery_files').selectAll().orderBy('sequence')
  return {
    listUndelivered: async (limit, after, except) =>
      accept(
        await files()
          .where('delivered', '=', 0)
          .where('sequence', '>', after)
          .$if(except.length > 0, (some) => some.where('trail', 'not in', except.map(trailText)))
          .limit(limit)
          .execute(),
      ),
    listUnnotified: async (limit) =>
      accept(
        await files().where('delivered', '=', 1).where('notified', '=', 0).limit(limit).execute(),
      ),
    listUnlisted: async ({ trail, region }, madeBefore) =>
      accept(
        await files()
          .where('listed', '=', 0)
          .where('trail', '=', trailText(trail))
          .where('region', '=', region)
          .where('made_at', '<', madeBefore)
          .limit(unlistedMax)
          .execute(),
      ),
    async listFinishedFiles(limit) {
      const found = await files()
        .select('sequence')
        .where('delivered', '=', 1)
        .where('notified', '=', 1)
        .where('listed', '=', 1)
        .limit(limit)
        .execute()
      return found.map(({ sequence }) => sequence)
    },
    countUndelivered: () => countRows(query, deliveryFiles, { delivered: 0 }),
    async lastDeliverySequence() {
      const found = await query
        .selectFrom('delivery_files')
        .select(({ fn }) => fn.max<number | null>('sequence').as('last'))
        .executeTakeFirstOrThrow()
      return found.last ?? 0
    },
    async firstUndeliveredSegment(stream) {
      const found = await query
        .selectFrom('delivery_files')
        .select(({ fn }) => fn.min<number | null>('segment').as('first'))
        .where('delivered', '=', 0)
        .where('stream', '=', stream)
        .executeTakeFirstOrThrow()
      return found.first ?? undefined
    },
  }
}

type Reads = Pick<
  DeliveryStore,
  'findDeliveryCursor' | 'listDigestChains' | 'listDigestKeys' | 'findTrailStatus'
>

export function deliveryReads(scope: RowScope): Reads {
  const { query } = scope
  return {
    findDeliveryCursor: (stream) => tableReads(deliveryCursors, scope).find({ stream }),
    async listDigestChains() {
      const found = await query.selectFrom('digest_chains').selectAll().execute()
      return tableReads(digestChains, scope).acceptAll(found)
    },
    async listDigestKeys() {
      const found = await query
        .selectFrom('digest_keys')
        .selectAll()
        .orderBy('valid_from')
        .execute()
      return tableReads(digestKeys, scope).acceptAll(found)
    },
    async findTrailStatus(trail) {
      const found = await query
        .selectFrom('trail_status')
        .selectAll()
        .where('trail', '=', trailText(trail))
        .executeTakeFirst()
      return found && trailStatus.toRecord(found).status
    },
  }
}

type Writes = Pick<
  DeliveryStore,
  'deleteDeliveryFiles' | 'insertDigestKey' | 'saveTrailStatus' | 'deleteDigestChain'
>

export function deliveryWrites(scope: RowScope): Writes {
  const { query } = scope
  return {
    async deleteDeliveryFiles(sequences) {
      if (sequences.length === 0) return
      await query.deleteFrom('delivery_files').where('sequence', 'in', sequences).execute()
    },
    insertDigestKey: (key) => insertRecords(digestKeys, scope, [key]),
    saveTrailStatus: (trail, status) => saveRecord(trailStatus, scope, { trail, status }),
    async deleteDigestChain({ trail, region }) {
      await query
        .deleteFrom('digest_chains')
        .where((row) => row.and({ trail: trailText(trail), region }))
        .execute()
    },
  }
}

/** Stores, in one transaction, the files of a range of the journal and the end of that range. */
export async function saveCut(
  scope: RowScope,
  cut: {
    readonly files: readonly DeliveryFile[]
    readonly cursor: DeliveryCursor
    readonly chains: readonly DigestChain[]
  },
): Promise<void> {
  for (const file of cut.files) await insertRecords(deliveryFiles, scope, [{ file }])
  for (const chain of cut.chains) await saveRecord(digestChains, scope, chain)
  await saveRecord(deliveryCursors, scope, cut.cursor)
}

/** Stores, in one transaction, a digest, the files that it lists, and the new end of its chain. */
export async function saveDigest(
  scope: RowScope,
  of: {
    readonly digest: DeliveryFile
    readonly chain: DigestChain
    readonly listed: readonly DeliveryFile[]
  },
): Promise<void> {
  await insertRecords(deliveryFiles, scope, [{ file: of.digest }])
  for (const { sequence } of of.listed) await changeFile(scope, sequence, { isListed: true })
  await saveRecord(digestChains, scope, of.chain)
}

/**
 * Reads the row inside the transaction, because a file may be delivered and listed at the same
 * time.
 */
export async function changeFile(
  scope: RowScope,
  sequence: number,
  changes: Partial<Pick<DeliveryFile, 'deliveredAt' | 'isNotified' | 'isListed'>>,
): Promise<void> {
  const found = await scope.query
    .selectFrom('delivery_files')
    .selectAll()
    .where('sequence', '=', sequence)
    .executeTakeFirst()
  const known = tableReads(deliveryFiles, scope).accept(found)
  if (known === undefined) return
  const changed = deliveryFiles.toRow({ file: { ...known.file, ...changes } })
  await scope.query
    .updateTable('delivery_files')
    .set(scope.rows.seal(deliveryFiles, changed))
    .where('sequence', '=', sequence)
    .execute()
}
