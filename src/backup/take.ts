/**
 * Takes a backup: every row of every table at one moment, encrypted, as a stream of bytes. It holds one
 * frame in memory at a time.
 * @module
 */
import type { Keyring } from '../crypto/keyring.ts'
import type { Clock, Random } from '../model/clock.ts'
import { nodeOfStream } from '../model/node.ts'
import type { OwnedDatabase } from '../store/open.ts'
import type { Snapshot } from '../store/database.ts'
import { migrations } from '../store/migrations.ts'
import { everyTable } from '../store/schema/schema.ts'
import { readOtherSeals } from '../store/tables/other-seals.ts'
import { countTable, readTable } from '../store/whole-tables.ts'
import { createBackupWriter } from './format.ts'
import type { BackupHeader } from './header.ts'
import { createRowsText } from './rows.ts'

export interface BackupSource {
  readonly database: Pick<OwnedDatabase, 'snapshot'>
  readonly keyring: Pick<Keyring, 'backupKey' | 'newestVersion'>
  readonly clock: Pick<Clock, 'now'>
  readonly random: Random
}

export interface BackupPiece {
  readonly bytes: Buffer
  /** Rows that are read so far, of `header.rows`. */
  readonly rows: number
}

export interface OpenBackup {
  readonly header: BackupHeader
  /** Ends by itself after its last piece, or when the caller returns early. */
  readonly pieces: AsyncGenerator<BackupPiece>
  /** Needed only if `pieces` is never read. */
  readonly close: () => Promise<void>
}

const saltBytes = 32

export async function openBackup(source: BackupSource): Promise<OpenBackup> {
  const snapshot = await source.database.snapshot()
  try {
    const header = await headerOf(snapshot, source)
    return {
      header,
      pieces: piecesOf(snapshot, header, source.keyring),
      close: () => snapshot.close(),
    }
  } catch (error) {
    await snapshot.close()
    throw error
  }
}

async function headerOf(
  { query }: Snapshot,
  { keyring, clock, random }: BackupSource,
): Promise<BackupHeader> {
  // Not by the functions of the store: their transactions lock and write, and here is one already.
  const deployment = await query.selectFrom('deployment').selectAll().executeTakeFirstOrThrow()
  const seal = await query
    .selectFrom('seals')
    .selectAll()
    .orderBy('generation', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  const { recovery } = await readOtherSeals({ query })
  const domainKeys = await query.selectFrom('domain_keys').selectAll().orderBy('version').execute()
  // The root key may be replaced meanwhile: the backup must hold the key that opens it.
  const keyVersion = Math.min(keyring.newestVersion, domainKeys.at(-1)?.version ?? 0)
  if (!domainKeys.some(({ version }) => version === keyVersion)) {
    throw new Error('the root key was replaced meanwhile')
  }
  const head = await query.selectFrom('change_head').select('seq').executeTakeFirstOrThrow()
  const nodes = await query.selectFrom('nodes').select(['node_id', 'state']).execute()
  const writers = await query.selectFrom('audit_writers').selectAll().orderBy('stream').execute()
  let rows = 0
  for (const table of everyTable) rows += await countTable(query, table)
  return {
    salt: Buffer.from(random.bytes(saltBytes)).toString('base64'),
    deploymentId: deployment.deployment_id,
    createdAt: clock.now(),
    schema: migrations.length,
    change: head.seq,
    keyVersion,
    rows,
    seals: [
      { role: 'current', kind: seal.kind, record: base64(seal.sealed_root_key) },
      ...(recovery === undefined
        ? []
        : [
            {
              role: 'recovery' as const,
              kind: recovery.kind,
              record: base64(recovery.sealedRootKey),
            },
          ]),
    ],
    domainKeys: domainKeys.map(({ version, wrapped }) => ({ version, wrapped: base64(wrapped) })),
    streams: writers.flatMap(({ stream, checkpoint, signature }) =>
      checkpoint === null || signature === null
        ? []
        : [
            {
              stream,
              checkpoint,
              signature: base64(signature),
              isWritten: isWritten(stream, nodes),
            },
          ],
    ),
  }
}

/** An embedded database has no nodes. A stream of a node that is drained or gone has ended. */
function isWritten(
  stream: string,
  nodes: readonly { readonly node_id: string; readonly state: string }[],
): boolean {
  const nodeId = nodeOfStream(stream)
  if (nodeId === undefined) return nodes.length === 0
  const node = nodes.find((each) => each.node_id === nodeId)
  return node !== undefined && node.state !== 'drained' && node.state !== 'gone'
}

async function* piecesOf(
  snapshot: Snapshot,
  header: BackupHeader,
  keyring: BackupSource['keyring'],
): AsyncGenerator<BackupPiece> {
  const writer = createBackupWriter(header, keyring)
  const counts: Record<string, number> = {}
  let read = 0
  try {
    yield { bytes: writer.head, rows: 0 }
    for (const table of everyTable) {
      const text = createRowsText(table)
      let count = 0
      for await (const page of readTable(snapshot.query, table)) {
        for (const row of page) {
          count += 1
          const frame = text.add(row)
          if (frame !== undefined) {
            yield { bytes: writer.frame('rows', frame), rows: read + count }
          }
        }
      }
      read += count
      counts[table.name] = count
      const rest = text.rest()
      if (rest !== undefined) yield { bytes: writer.frame('rows', rest), rows: read }
    }
    const end = Buffer.from(JSON.stringify({ rows: counts }))
    yield { bytes: Buffer.concat([writer.frame('end', end), writer.check()]), rows: read }
  } finally {
    writer.close()
    await snapshot.close()
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
