/**
 * The rows of delivery. They are not numbered changes, because no cache holds them. Rows that a
 * digest will sign carry tags, so that an attacker who can write the database cannot have his own
 * content signed.
 * @module
 */
import {
  trailText,
  type ChainRef,
  type DeliveryCursor,
  type DeliveryFile,
  type DigestChain,
} from '../../model/delivery.ts'
import type { DeliveryStore } from '../delivery-store.ts'
import { StaleRow } from '../row-errors.ts'
import type { RowScope } from '../row-scope.ts'
import {
  deliveryCursors,
  deliveryFiles,
  digestChains,
  digestKeys,
  retiredKeys,
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

/** @param nodeId the node whose files these are, except for `listUnlisted` */
export function deliveryFileReads(scope: RowScope, nodeId: string | undefined): FileReads {
  const { query } = scope
  const own = nodeId ?? ''
  const { acceptAll } = tableReads(deliveryFiles, scope)
  const accept = (found: readonly Row<'delivery_files'>[]): readonly DeliveryFile[] =>
    acceptAll(found).map(({ file }) => file)
  const files = () =>
    query.selectFrom('delivery_files').selectAll().where('node_id', '=', own).orderBy('sequence')
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
    listUnlisted: (chain, madeBefore) => listUnlisted(scope, chain, madeBefore),
    async listFinishedFiles(limit) {
      const found = await query
        .selectFrom('delivery_files')
        .select('sequence')
        .where('node_id', '=', own)
        .where('delivered', '=', 1)
        .where('notified', '=', 1)
        .where('listed', '=', 1)
        .limit(limit)
        .execute()
      return found.map(({ sequence }) => sequence)
    },
    countUndelivered: () => countRows(query, deliveryFiles, { node_id: own, delivered: 0 }),
    async lastDeliverySequence() {
      const found = await query
        .selectFrom('delivery_files')
        .select(({ fn }) => fn.max<number | null>('sequence').as('last'))
        .where('node_id', '=', own)
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
  | 'findDeliveryCursor'
  | 'listDigestChains'
  | 'listDigestKeys'
  | 'listRetiredKeys'
  | 'findTrailStatus'
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
    async listRetiredKeys() {
      const found = await query.selectFrom('retired_keys').selectAll().orderBy('version').execute()
      return tableReads(retiredKeys, scope).acceptAll(found)
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

export function deliveryWrites(scope: RowScope, nodeId: string | undefined): Writes {
  const { query } = scope
  return {
    async deleteDeliveryFiles(sequences) {
      if (sequences.length === 0) return
      await query
        .deleteFrom('delivery_files')
        .where('node_id', '=', nodeId ?? '')
        .where('sequence', 'in', sequences)
        .execute()
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

/** The log files of every node that no digest lists yet, in one order for all nodes. */
async function listUnlisted(
  scope: RowScope,
  { trail, region }: ChainRef,
  madeBefore: number,
): Promise<readonly DeliveryFile[]> {
  const found = await scope.query
    .selectFrom('delivery_files')
    .selectAll()
    .where('listed', '=', 0)
    .where('trail', '=', trailText(trail))
    .where('region', '=', region)
    .where('made_at', '<', madeBefore)
    .orderBy('node_id')
    .orderBy('sequence')
    .limit(unlistedMax)
    .execute()
  return tableReads(deliveryFiles, scope)
    .acceptAll(found)
    .map(({ file }) => file)
}

/**
 * Stores, in one transaction, the files of a range of the journal and the end of that range.
 *
 * INVARIANT (a digest names every file of its hours): files and digests of a chain are stored one after
 * another, under the lock of the chain's row. No file is stored for an hour that has its digest.
 * @throws {StaleRow} if a digest has been made for the hour of a file
 */
export async function saveCut(
  scope: RowScope,
  nodeId: string | undefined,
  cut: {
    readonly files: readonly DeliveryFile[]
    readonly cursor: DeliveryCursor
    readonly chains: readonly DigestChain[]
  },
): Promise<void> {
  const unlisted = cut.files.filter(({ isListed }) => !isListed)
  // In one order, so that two nodes do not wait for each other.
  const chains = new Map(unlisted.map((file) => [chainText(file), file]))
  for (const chain of cut.chains) await insertChain(scope, chain)
  for (const name of [...chains.keys()].toSorted()) {
    const chain = chains.get(name)
    const end = chain && (await lockChain(scope, chain))
    const isLate = unlisted.some((file) => chainText(file) === name && file.madeAt < (end ?? 0))
    if (end === undefined || isLate) throw new StaleRow(`the chain of digests ${name}`)
  }
  const owner = nodeId === undefined ? {} : { nodeId }
  for (const file of cut.files) {
    await insertRecords(deliveryFiles, scope, [{ file: { ...file, ...owner } }])
  }
  await saveRecord(deliveryCursors, scope, cut.cursor)
}

/**
 * Stores, in one transaction, a digest, the files that it lists, and the new end of its chain.
 * @throws {StaleRow} if the chain has another end, or another file belongs into the digest
 */
export async function saveDigest(
  scope: RowScope,
  nodeId: string | undefined,
  of: {
    readonly digest: DeliveryFile
    readonly chain: DigestChain
    readonly after: number
    readonly listed: readonly DeliveryFile[]
  },
): Promise<void> {
  const { digest, chain, after, listed } = of
  const stale = (): StaleRow => new StaleRow(`the chain of digests ${chainText(chain)}`)
  if ((await lockChain(scope, chain)) !== after) throw stale()
  const found = await listUnlisted(scope, chain, chain.end)
  const keys = new Set(listed.map(({ key }) => key))
  if (found.length !== keys.size || !found.every(({ key }) => keys.has(key))) throw stale()
  const owner = nodeId === undefined ? {} : { nodeId }
  await insertRecords(deliveryFiles, scope, [{ file: { ...digest, ...owner } }])
  for (const file of listed) await changeFile(scope, file.nodeId, file.sequence, { isListed: true })
  await saveRecord(digestChains, scope, chain)
}

function chainText({ trail, region }: ChainRef): string {
  return `${trailText(trail)}/${region}`
}

async function insertChain(scope: RowScope, chain: DigestChain): Promise<void> {
  await scope.query
    .insertInto('digest_chains')
    .values(scope.rows.seal(digestChains, digestChains.toRow(chain)))
    .onConflict((conflict) => conflict.columns(['trail', 'region']).doNothing())
    .execute()
}

/** Locks the row of a chain until commit. @returns its end; undefined if there is none */
async function lockChain(
  { query }: RowScope,
  { trail, region }: ChainRef,
): Promise<number | undefined> {
  const found = await query
    .updateTable('digest_chains')
    .set({ region })
    .where((row) => row.and({ trail: trailText(trail), region }))
    .returning('ended_at')
    .executeTakeFirst()
  return found?.ended_at
}

/**
 * Reads the row inside the transaction, because a file may be delivered and listed at the same
 * time.
 */
export async function changeFile(
  scope: RowScope,
  nodeId: string | undefined,
  sequence: number,
  changes: Partial<Pick<DeliveryFile, 'deliveredAt' | 'isNotified' | 'isListed'>>,
): Promise<void> {
  const place = { node_id: nodeId ?? '', sequence }
  // A write that changes nothing locks the row in every engine.
  const found = await scope.query
    .updateTable('delivery_files')
    .set({ sequence })
    .where((row) => row.and(place))
    .returningAll()
    .executeTakeFirst()
  const known = tableReads(deliveryFiles, scope).accept(found)
  if (known === undefined) return
  const changed = deliveryFiles.toRow({ file: { ...known.file, ...changes } })
  await scope.query
    .updateTable('delivery_files')
    .set(scope.rows.seal(deliveryFiles, changed))
    .where((row) => row.and(place))
    .execute()
}

/** Gives the files from the time of an embedded database to the node that has their bytes. */
export async function adoptFiles(scope: RowScope, nodeId: string): Promise<void> {
  const found = await scope.query
    .selectFrom('delivery_files')
    .selectAll()
    .where('node_id', '=', '')
    .execute()
  for (const { file } of tableReads(deliveryFiles, scope).acceptAll(found)) {
    const row = deliveryFiles.toRow({ file: { ...file, nodeId } })
    await scope.query
      .updateTable('delivery_files')
      .set(scope.rows.seal(deliveryFiles, row))
      .where('node_id', '=', '')
      .where('sequence', '=', file.sequence)
      .execute()
  }
}
