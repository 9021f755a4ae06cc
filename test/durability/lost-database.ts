/** Databases that went back behind their journals, and what is said to be lost, for tests. @module */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { CreateKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { readRecords } from '../../src/audit/journal/read-records.ts'
import { refusal } from '../start/refusal.ts'
import {
  end,
  freePort,
  serve,
  temporaryFolder,
  trentEnded,
  type Serving,
} from '../start/serve-process.ts'
import { accountId, clientOf, region, settings } from './fixed-account.ts'

export interface Lost {
  readonly changes: readonly {
    readonly change: number
    readonly name: string
    readonly resources: readonly string[]
    readonly effect: string
  }[]
  readonly reused: number
  readonly accepted: boolean
}

export async function makeKeys(server: Serving, count: number): Promise<readonly string[]> {
  const client = clientOf(server)
  const keyIds: string[] = []
  for (let made = 0; made < count; made += 1) {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
    keyIds.push(KeyMetadata?.KeyId ?? '')
  }
  await client.send(new EncryptCommand({ KeyId: keyIds[0], Plaintext: Buffer.from('x') }))
  client.destroy()
  return keyIds
}

export interface Killed {
  readonly folder: string
  readonly data: string
  readonly keyIds: readonly string[]
}

/** A directory whose server has made keys and was killed, with an older copy of the database. */
export async function killed(
  t: TestContext,
  keys: number,
  more: Readonly<Record<string, string>> = {},
): Promise<Killed> {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  await end(await serve(t, folder, { ...settings, ...more }), 'SIGTERM')
  cpSync(join(data, 'trent.db'), join(folder, 'older.db'))
  const server = await serve(t, folder, { ...settings, ...more })
  const keyIds = await makeKeys(server, keys)
  await end(server, 'SIGKILL')
  return { folder, data, keyIds }
}

/** The keys are in the log of the database alone: its file is the older one. */
export async function killedBeforeCheckpoint(t: TestContext, keys: number): Promise<Killed> {
  for (;;) {
    const made = await killed(t, keys)
    const older = readFileSync(join(made.folder, 'older.db'))
    if (readFileSync(join(made.data, 'trent.db')).equals(older)) return made
  }
}

export function putBack({ folder, data }: Killed): void {
  cpSync(join(folder, 'older.db'), join(data, 'trent.db'))
  rmSync(join(data, 'trent.db-wal'), { force: true })
}

export async function lossOf(
  t: TestContext,
  folder: string,
  ...given: readonly string[]
): Promise<Lost & { readonly code: number | null }> {
  const parameters = ['database', 'accept-loss', ...given, '--json']
  const own = { ...settings, ...freePort(folder) }
  const { code, stdout, stderr } = await trentEnded(t, parameters, own, folder)
  assert.equal(stderr, '')
  return { ...(JSON.parse(stdout) as Lost), code }
}

/** The journal of another node, and delivered files, say the same as the node's own journal. */
export async function agree(t: TestContext, { folder, data }: Killed): Promise<void> {
  const journal = join(data, 'journal')
  const records: unknown[] = []
  await readRecords(journal, (record) => records.push(JSON.parse(record)))
  const archive = join(folder, 'archive')
  const file = join(archive, `${accountId}_CloudTrail_${region}_x.json.gz`)
  mkdirSync(archive)
  writeFileSync(file, gzipSync(JSON.stringify({ Records: records })))
  const own = await lossOf(t, folder)
  const elsewhere = join(folder, 'elsewhere')
  renameSync(journal, elsewhere)
  const ofNode = ['--journal', elsewhere]
  const delivered = ['--delivered', archive]
  for (const sources of [ofNode, delivered, [...ofNode, ...delivered]]) {
    assert.deepEqual(await lossOf(t, folder, ...sources), own)
  }
  writeFileSync(file, 'not gzip')
  const parameters = ['database', 'accept-loss', '--yes', ...delivered]
  const line = await refusal(t, folder, settings, parameters)
  assert.match(line, /\.json\.gz in \S+ cannot be read/)
  renameSync(elsewhere, journal)
}
