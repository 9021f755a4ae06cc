/**
 * The rows of delivery. They are not numbered changes, because no cache holds them. Rows that a
 * digest will sign carry tags, so that an attacker who can write the database cannot have his own
 * content signed.
 * @module
 */
import {
  readTrailText,
  trailText,
  type ChainRef,
  type DeliveryCursor,
  type DeliveryFile,
  type DigestChain,
  type DigestKey,
} from '../../model/delivery.ts'
import type { TrailStatus } from '../../model/trail.ts'
import type { RowScope } from '../row-scope.ts'
import type { DeliveryFilesTable, DigestChainsTable } from '../schema/schema.ts'
import type { DeliveryStore } from '../delivery-store.ts'

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

export function deliveryFileReads({ query, rows }: RowScope): FileReads {
  const accept = (found: readonly DeliveryFilesTable[]): readonly DeliveryFile[] =>
    found.flatMap((row) => {
      const genuine = rows.genuine('delivery_files', [String(row.sequence)], row)
      return genuine === undefined ? [] : [fileOf(genuine)]
    })
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
    async countUndelivered() {
      const { count } = await query
        .selectFrom('delivery_files')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('delivered', '=', 0)
        .executeTakeFirstOrThrow()
      return count
    },
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

export function deliveryReads({ query, rows }: RowScope): Reads {
  return {
    async findDeliveryCursor(stream) {
      const found = await query
        .selectFrom('delivery_cursors')
        .selectAll()
        .where('stream', '=', stream)
        .executeTakeFirst()
      const row = rows.genuine('delivery_cursors', [stream], found)
      return row && { stream, segment: row.segment, offset: row.position }
    },
    async listDigestChains() {
      const found = await query.selectFrom('digest_chains').selectAll().execute()
      return found.flatMap((row) => {
        const genuine = rows.genuine('digest_chains', [row.trail, row.region], row)
        return genuine === undefined ? [] : [chainOf(genuine)]
      })
    },
    async listDigestKeys() {
      const found = await query
        .selectFrom('digest_keys')
        .selectAll()
        .orderBy('valid_from')
        .execute()
      return found.flatMap((row) => {
        const key = rows.genuine('digest_keys', [row.fingerprint], row)
        if (key === undefined) return []
        return [
          {
            value: key.public_key,
            fingerprint: key.fingerprint,
            validFrom: key.valid_from,
            validUntil: key.valid_until,
            wrappingVersion: key.wrapping_version,
            wrapped: key.wrapped,
          },
        ]
      })
    },
    async findTrailStatus(trail) {
      const found = await query
        .selectFrom('trail_status')
        .select('status')
        .where('trail', '=', trailText(trail))
        .executeTakeFirst()
      // It decides nothing, so it needs no tag: an attacker gains nothing by forging it.
      return found && (JSON.parse(found.status) as TrailStatus)
    },
  }
}

type Writes = Pick<
  DeliveryStore,
  'deleteDeliveryFiles' | 'insertDigestKey' | 'saveTrailStatus' | 'deleteDigestChain'
>

export function deliveryWrites({ query, rows }: RowScope): Writes {
  return {
    async deleteDeliveryFiles(sequences) {
      if (sequences.length === 0) return
      await query.deleteFrom('delivery_files').where('sequence', 'in', sequences).execute()
    },
    async insertDigestKey(key) {
      const columns = columnsOfKey(key)
      await query.insertInto('digest_keys').values(rows.seal('digest_keys', columns)).execute()
    },
    async saveTrailStatus(trail, status) {
      const row = { trail: trailText(trail), status: JSON.stringify(status) }
      await query
        .insertInto('trail_status')
        .values(row)
        .onConflict((conflict) => conflict.column('trail').doUpdateSet(row))
        .execute()
    },
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
  for (const file of cut.files) await insertFile(scope, file)
  for (const chain of cut.chains) await saveChain(scope, chain)
  const { stream, segment, offset: position } = cut.cursor
  const row = scope.rows.seal('delivery_cursors', { stream, segment, position })
  await scope.query
    .insertInto('delivery_cursors')
    .values(row)
    .onConflict((conflict) => conflict.column('stream').doUpdateSet(row))
    .execute()
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
  await insertFile(scope, of.digest)
  for (const { sequence } of of.listed) await changeFile(scope, sequence, { isListed: true })
  await saveChain(scope, of.chain)
}

/**
 * Reads the row inside the transaction, because a file may be delivered and listed at the same
 * time.
 */
export async function changeFile(
  { query, rows }: RowScope,
  sequence: number,
  changes: Partial<Pick<DeliveryFile, 'deliveredAt' | 'isNotified' | 'isListed'>>,
): Promise<void> {
  const found = await query
    .selectFrom('delivery_files')
    .selectAll()
    .where('sequence', '=', sequence)
    .executeTakeFirst()
  const row = rows.genuine('delivery_files', [String(sequence)], found)
  if (row === undefined) return
  await query
    .updateTable('delivery_files')
    .set(rows.seal('delivery_files', columnsOfFile({ ...fileOf(row), ...changes })))
    .where('sequence', '=', sequence)
    .execute()
}

async function insertFile({ query, rows }: RowScope, file: DeliveryFile): Promise<void> {
  const row = rows.seal('delivery_files', columnsOfFile(file))
  await query.insertInto('delivery_files').values(row).execute()
}

async function saveChain({ query, rows }: RowScope, chain: DigestChain): Promise<void> {
  const row = rows.seal('digest_chains', {
    ...placeOf(chain),
    ended_at: chain.end,
    last: chain.last === undefined ? null : JSON.stringify(chain.last),
  })
  await query
    .insertInto('digest_chains')
    .values(row)
    .onConflict((conflict) => conflict.columns(['trail', 'region']).doUpdateSet(row))
    .execute()
}

function placeOf({ trail, region }: ChainRef): { readonly trail: string; readonly region: string } {
  return { trail: trailText(trail), region }
}

function columnsOfFile(file: DeliveryFile): Omit<DeliveryFilesTable, 'row_tag'> {
  return {
    ...placeOf(file),
    sequence: file.sequence,
    made_at: file.madeAt,
    delivered: Number(file.deliveredAt !== undefined),
    notified: Number(file.isNotified),
    listed: Number(file.isListed),
    stream: file.range?.stream ?? null,
    segment: file.range?.segment ?? null,
    file: JSON.stringify(file),
  }
}

/** The JSON is valid: `columnsOfFile` wrote every row that has a valid tag. */
function fileOf(row: DeliveryFilesTable): DeliveryFile {
  return JSON.parse(row.file) as DeliveryFile
}

function chainOf(row: DigestChainsTable): DigestChain {
  return {
    trail: readTrailText(row.trail),
    region: row.region,
    end: row.ended_at,
    ...(row.last !== null && { last: JSON.parse(row.last) as NonNullable<DigestChain['last']> }),
  }
}

function columnsOfKey(key: DigestKey) {
  return {
    fingerprint: key.fingerprint,
    public_key: key.value,
    wrapping_version: key.wrappingVersion,
    wrapped: key.wrapped,
    valid_from: key.validFrom,
    valid_until: key.validUntil,
  }
}
