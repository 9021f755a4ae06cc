/** A server that delivers to a directory, some traffic, and the delivered files. @module */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { CreateKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { verifyLog } from '../../../src/cli/verify-log.ts'
import { startTestServer, type TestServer } from '../../harness.ts'

export interface Delivering {
  readonly server: TestServer
  /** The directory that files are delivered to. */
  readonly archive: string
}

export async function startDelivering(
  t: { after(stop: () => Promise<void>): void },
  settings: Parameters<typeof startTestServer>[0] = {},
  options: Parameters<typeof startTestServer>[1] = {},
): Promise<Delivering> {
  const archive = await mkdtemp(join(tmpdir(), 'trent-archive-'))
  const server = await startTestServer(
    { TRENT_TEST_API: 'on', TRENT_AUDIT_DIR: archive, ...settings },
    options,
  )
  t.after(async () => {
    await server.stop()
    await rm(archive, { recursive: true, force: true })
  })
  return { server, archive }
}

/** Makes a key and encrypts with it this many times; returns the request ids, in order. */
export async function traffic(server: TestServer, calls: number): Promise<readonly string[]> {
  const kms = server.client()
  const made = await kms.send(new CreateKeyCommand({}))
  const ids = [made.$metadata.requestId ?? '']
  for (let n = 0; n < calls; n += 1) {
    const Plaintext = Buffer.from(`secret ${n}`)
    const answer = await kms.send(
      new EncryptCommand({ KeyId: made.KeyMetadata?.KeyId ?? '', Plaintext }),
    )
    ids.push(answer.$metadata.requestId ?? '')
  }
  return ids
}

/** Paths below the directory, in byte order. */
export async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
}

export const isLog = (name: string): boolean =>
  name.includes('/CloudTrail/') && name.endsWith('.json.gz')
export const isDigest = (name: string): boolean =>
  name.includes('/CloudTrail-Digest/') && name.endsWith('.json.gz')

export async function jsonOf<T>(directory: string, name: string): Promise<T> {
  const text = gunzipSync(await readFile(join(directory, name))).toString()
  return JSON.parse(text) as T // written by the server under test
}

interface Delivered {
  readonly Records: readonly {
    readonly requestID: string
    readonly eventID: string
    readonly eventTime: string
  }[]
}

/** Every delivered record, by file and then by position. */
export async function deliveredRecords(directory: string): Promise<Delivered['Records']> {
  const names = (await filesBelow(directory)).filter(isLog)
  const all = await Promise.all(names.map((name) => jsonOf<Delivered>(directory, name)))
  return all.flatMap(({ Records }) => Records)
}

/** No unexpected failure of delivery. */
export function assertNoErrors(server: TestServer): void {
  const errors = server.logged.filter((line) => Number(JSON.parse(line).level) >= 50)
  assert.deepEqual(errors, [])
}

/** `trent verify-log` finds the journal and the archive whole and consistent. */
export async function assertVerified(server: TestServer, archive: string): Promise<void> {
  const { status, text } = await verified(server, archive)
  assert.equal(status, 0, text)
}

/** The report of `trent verify-log --json` on both, and its exit status. */
export async function verified(
  server: TestServer,
  archive: string,
): Promise<{ readonly status: number; readonly text: string }> {
  let text = ''
  const status = await verifyLog({
    directory: join(server.directory, 'journal'),
    delivered: archive,
    json: true,
    output: { write: (part) => (text += part) },
  })
  return { status, text }
}
