/**
 * Measures what auditing costs: Encrypt alternates between three servers with their journal on tmpfs, on the
 * disk, and on the disk with delivery to a directory. Also measures the bytes of a record in the journal and
 * in delivered files. Run with `npm run bench`, or alone: `node bench/audit.ts`.
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { nodeFiles } from '../src/disk/files.ts'
import { walkStream } from '../src/audit/journal/walk-stream.ts'
import { closedLoop } from './load.ts'
import { createSigner, signedRequest, type Signer } from './sign.ts'

const requests = Number(process.env['BENCH_REQUESTS'] ?? '20000')
const connections = Number(process.env['BENCH_CONNECTIONS'] ?? '64')
const rounds = Number(process.env['BENCH_ROUNDS'] ?? '3')
const memory = '/dev/shm'
const region = 'us-west-2'
const accessKeyId = 'bench'
const secretAccessKey = randomBytes(24).toString('hex')

interface Contender {
  readonly name: string
  readonly directory: string
  readonly archive?: string
  readonly child: ChildProcess
  readonly port: number
  readonly signer: Signer
  readonly keyId: string
  best: number
}

async function main(): Promise<void> {
  if (!existsSync(memory)) {
    process.stdout.write('what auditing costs is not measured: there is no tmpfs here\n')
    return
  }
  const contenders = [
    await start('tmpfs', memory),
    await start('disk', tmpdir()),
    await start('disk, delivering', tmpdir(), 'delivers'),
  ]
  try {
    for (const each of contenders) await run(each, 2000)
    for (let round = 0; round < rounds; round += 1) {
      for (const each of contenders) each.best = Math.max(each.best, await run(each, requests))
    }
    await report(contenders)
  } finally {
    const running = contenders.filter(({ child }) => child.exitCode === null)
    for (const { child } of running) child.kill('SIGTERM')
    await Promise.all(running.map(({ child }) => once(child, 'exit')))
    for (const { directory, archive } of contenders) {
      for (const each of [directory, archive]) {
        if (each !== undefined) rmSync(each, { recursive: true, force: true })
      }
    }
  }
}

async function run({ port, signer, keyId }: Contender, count: number): Promise<number> {
  const fresh = Array.from({ length: count }, () => {
    const Plaintext = randomBytes(32).toString('base64')
    return signedRequest(signer, 'Encrypt', { KeyId: keyId, Plaintext })
  })
  return count / (await closedLoop(port, fresh, connections)).seconds
}

async function report(contenders: readonly Contender[]): Promise<void> {
  const [fastest] = contenders
  process.stdout.write('journal on           Encrypt/s   ratio to tmpfs\n')
  for (const { name, best } of contenders) {
    const ratio = (best / (fastest?.best ?? best)).toFixed(2)
    process.stdout.write(
      `${name.padEnd(18)} ${best.toFixed(0).padStart(11)} ${ratio.padStart(16)}\n`,
    )
  }
  for (const { child, directory, archive } of contenders) {
    if (archive === undefined) continue
    // A stop finishes the journal, and a start writes all of it into files.
    child.kill('SIGTERM')
    await once(child, 'exit')
    const { records, bytes } = await journalOf(join(directory, 'journal'))
    const delivering = serve(directory, archive)
    await portOf(delivering)
    const delivered = await settledBytes(archive)
    delivering.kill('SIGTERM')
    await once(delivering, 'exit')
    process.stdout.write(
      `bytes a record: ${(bytes / records).toFixed(0)} in the journal, ` +
        `${(delivered / records).toFixed(0)} delivered, of ${records} records\n`,
    )
  }
}

async function journalOf(
  directory: string,
): Promise<{ readonly records: number; readonly bytes: number }> {
  let records = 0
  let bytes = 0
  const walk = walkStream({ files: nodeFiles, directory, stream: 'worker-0' }, 1, (frame) => {
    bytes += frame.size
    if (frame.kind === 'record') records += 1
  })
  for await (const segment of walk) void segment
  return { records, bytes }
}

/** Bytes below a directory, once they have not grown for three seconds. */
async function settledBytes(directory: string): Promise<number> {
  let before = -1
  for (let same = 0; same < 3;) {
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const now = bytesBelow(directory)
    same = now === before && now > 0 ? same + 1 : 0
    before = now
  }
  return before
}

function bytesBelow(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size)
    .reduce((all, each) => all + each, 0)
}

async function start(name: string, above: string, delivers?: 'delivers'): Promise<Contender> {
  const directory = mkdtempSync(join(above, 'trent-bench-'))
  const archive = delivers && mkdtempSync(join(above, 'trent-archive-'))
  const child = serve(directory, archive)
  const port = await portOf(child)
  const client = new KMSClient({
    region,
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId, secretAccessKey },
  })
  const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
  client.destroy()
  const signer = createSigner(`127.0.0.1:${port}`, region, accessKeyId, secretAccessKey)
  const keyId = KeyMetadata?.KeyId ?? ''
  return { name, directory, ...(archive && { archive }), child, port, signer, keyId, best: 0 }
}

function serve(directory: string, archive: string | undefined): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, '..', 'src', 'main.ts'), 'serve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      TRENT_LISTEN: '127.0.0.1:0',
      TRENT_DATA_DIR: directory,
      TRENT_ROOT_ACCESS_KEY_ID: accessKeyId,
      TRENT_ROOT_SECRET_ACCESS_KEY: secretAccessKey,
      TRENT_LOG_LEVEL: 'warn',
      ...(archive !== undefined && { TRENT_AUDIT_DIR: archive }),
    },
  })
}

async function portOf(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('no output')
  for await (const line of createInterface({ input: child.stdout })) {
    const [, port] = /http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? []
    if (port === undefined) continue
    child.stdout.resume()
    return Number(port)
  }
  throw new Error('the server ended before it was ready')
}

await main()
