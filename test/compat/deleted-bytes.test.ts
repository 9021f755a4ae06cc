/**
 * What is left of wrapped material once its key is gone: nothing, in the database's files, the journal and
 * every other file of the data directory, and in a dump that is made afterwards.
 * @module
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  CreateKeyCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  type CreateKeyCommandInput,
} from '@aws-sdk/client-kms'
import { sql } from 'kysely'
import { openDatabase } from '../../src/store/open.ts'
import { sqliteOnly, startTestServer } from '../harness.ts'
import { settled } from './multi-region.ts'
import { rotating } from './rotating.ts'
import { advance } from './test-clock.ts'

const skip = sqliteOnly('reads the files of SQLite')
const there = 'eu-north-1'
const dying: readonly CreateKeyCommandInput[] = [
  {},
  { KeySpec: 'HMAC_512', KeyUsage: 'GENERATE_VERIFY_MAC' },
  { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' },
  { KeySpec: 'ML_DSA_44', KeyUsage: 'SIGN_VERIFY' },
  { MultiRegion: true },
]

/** The wrapped materials by key id, as the database of a stopped server holds them. */
async function wrappedOf(directory: string): Promise<ReadonlyMap<string, readonly Buffer[]>> {
  const database = await openDatabase({ path: join(directory, 'trent.db') })
  try {
    const rows = await database.query.selectFrom('key_materials').selectAll().execute()
    const found = new Map<string, Buffer[]>()
    for (const { key_id, wrapped } of rows) {
      found.set(key_id, [...(found.get(key_id) ?? []), Buffer.from(wrapped)])
    }
    return found
  } finally {
    await database.close()
  }
}

/** The files under a folder that hold the bytes, or the longest part of them that a page may hold. */
function holding(folder: string, bytes: Buffer): readonly string[] {
  // A long value is split over pages: each of its parts would be a trace.
  const parts = [bytes.subarray(0, 24), bytes.subarray(-24), bytes.subarray(12, 36)]
  const forms = parts.flatMap((part) => [
    part,
    Buffer.from(part.toString('hex')),
    Buffer.from(part.subarray(0, 24).toString('base64')),
  ])
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => {
      const content = readFileSync(path)
      return forms.some((form) => content.includes(form))
    })
}

test(
  'no file and no fresh dump holds what wrapped the material of keys that are gone',
  { skip },
  async (t) => {
    const first = await startTestServer({ TRENT_TEST_API: 'on' })
    const { directory } = first
    const kms = first.client()
    const ids: string[] = []
    for (const input of [...dying, {}]) {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand(input))
      ids.push(KeyMetadata?.KeyId ?? '')
    }
    const [rotated = '', , , , related = '', staying = ''] = ids
    // Earlier materials go as well, and those that replicas share.
    await kms.send(new RotateKeyOnDemandCommand({ KeyId: rotated }))
    await rotating(kms).rotated(rotated)
    await kms.send(new ReplicateKeyCommand({ KeyId: related, ReplicaRegion: there }))
    await settled(first.client({ region: there }), related)
    await first.stop('keep')
    const wrapped = await wrappedOf(directory)
    assert.equal(wrapped.get(rotated)?.length, 2)

    const server = await startTestServer({ TRENT_TEST_API: 'on' }, { directory })
    const again = server.client()
    const elsewhere = server.client({ region: there })
    const gone = ids.filter((id) => id !== staying && id !== related)
    for (const KeyId of [...gone, related]) {
      await again.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
    }
    const traces = (ofKeys: readonly string[]): readonly string[] =>
      ofKeys.flatMap((id) => (wrapped.get(id) ?? []).flatMap((bytes) => holding(directory, bytes)))
    for (const id of ids) assert(traces([id]).length > 0, 'the search finds what is there')
    await advance(server.url, '7d')
    assert.deepEqual(traces(gone), [])
    // Its relative has it still.
    assert(traces([related]).length > 0)
    const replica = { KeyId: related, PendingWindowInDays: 7 }
    await elsewhere.send(new ScheduleKeyDeletionCommand(replica))
    await advance(server.url, '7d')
    assert(traces([related]).length > 0)
    await advance(server.url, '7d')
    assert.deepEqual(traces([...gone, related]), [])
    await server.stop('keep')
    assert.deepEqual(traces([...gone, related]), [])

    const database = await openDatabase({ path: join(directory, 'trent.db') })
    t.after(() => server.stop())
    await sql`VACUUM INTO ${join(directory, 'dump.db')}`.execute(database.query)
    await database.close()
    assert.deepEqual(traces([...gone, related]), [])
    assert(traces([staying]).some((path) => path.endsWith('dump.db')))
  },
)
