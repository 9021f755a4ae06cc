/**
 * `npm run demo`: creates a key and an alias, encrypts and decrypts a large real file (the Node binary that the
 * lock file brings) with the AWS Encryption SDK, and prints the audit records of these calls. It uses the Trent
 * that AWS_ENDPOINT_URL names, and finds its records if the data directory is on this machine. Without that
 * variable it starts a server in a temporary folder.
 * @module
 */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  buildClient,
  CommitmentPolicy,
  getClient,
  KmsKeyringNode,
  KMS,
} from '@aws-crypto/client-node'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DeleteAliasCommand,
  KMSClient,
} from '@aws-sdk/client-kms'
import { readRecords } from '../src/audit/journal/read-records.ts'
import { loadConfig } from '../src/config.ts'

const root = join(import.meta.dirname, '..')
const bundledNode = join(root, 'node_modules', '.bin', 'node')
const { encryptStream, decryptStream } = buildClient(
  CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
)

interface Endpoint {
  readonly url: string
  readonly region: string
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** Directories that may be its journal. */
  readonly journals: readonly string[]
  stop(): Promise<void>
}

async function main(): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'trent-demo-'))
  const endpoint = await findEndpoint(work)
  try {
    await demonstrate(endpoint, work)
  } finally {
    await endpoint.stop()
    rmSync(work, { recursive: true, force: true })
  }
}

async function demonstrate(endpoint: Endpoint, work: string): Promise<void> {
  const settings = {
    region: endpoint.region,
    endpoint: endpoint.url,
    ...(endpoint.credentials && { credentials: endpoint.credentials }),
  }
  const client = new KMSClient(settings)
  const created = await client.send(new CreateKeyCommand({ Description: 'made by the demo' }))
  const keyArn = created.KeyMetadata?.Arn ?? ''
  const alias = `alias/demo-${randomBytes(4).toString('hex')}`
  await client.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: keyArn }))
  say(`key      ${keyArn}\nalias    ${alias}`)

  const keyring = new KmsKeyringNode({
    generatorKeyId: keyArn,
    // The SDK's own client: its types say that members may be undefined.
    clientProvider: getClient(KMS as never, settings as never),
  })
  const source = realpathSync(bundledNode)
  const [sealed, opened] = [join(work, 'node.sealed'), join(work, 'node.opened')]
  const context = { purpose: 'demo', file: 'node' }
  const size = statSync(source).size
  say(`file     ${source}, ${megabytes(size)}`)
  await timed(
    'encrypt',
    size,
    source,
    sealed,
    encryptStream(keyring, { encryptionContext: context }),
  )
  await timed('decrypt', statSync(sealed).size, sealed, opened, decryptStream(keyring))
  const [before, after] = [await sha256(source), await sha256(opened)]
  say(`sha-256  ${before}\n         ${after}`)
  await client.send(new DeleteAliasCommand({ AliasName: alias }))
  client.destroy()
  if (before !== after) throw new Error('the decrypted file differs from the original')
  say('the decrypted file equals the original')
  await showRecords(endpoint, keyArn)
}

async function showRecords({ journals }: Endpoint, keyArn: string): Promise<void> {
  for (const journal of journals.filter((path) => existsSync(path))) {
    const lines = await recordsOf(journal, keyArn)
    if (lines.length === 0) continue
    say(`audit records of the key, in ${journal}:\n${lines.join('\n')}`)
    return
  }
  say('the audit records are in the data directory of that server, which is not on this machine')
}

async function recordsOf(journal: string, keyArn: string): Promise<readonly string[]> {
  const lines: string[] = []
  await readRecords(journal, (record) => {
    if (!record.includes(keyArn)) return
    const { eventTime, eventName, eventID, requestParameters, errorCode } = JSON.parse(record)
    const context = JSON.stringify(requestParameters?.encryptionContext ?? {})
    const outcome = errorCode ?? 'ok'
    lines.push(`  ${eventTime} ${String(eventName).padEnd(16)} ${outcome} ${eventID} ${context}`)
  })
  return lines
}

async function timed(
  what: string,
  size: number,
  from: string,
  to: string,
  transform: NodeJS.ReadWriteStream,
): Promise<void> {
  const started = performance.now()
  let done = 0
  let shown = 0
  process.stdout.write(`${what} `)
  const input: Readable = createReadStream(from, { highWaterMark: 1024 * 1024 })
  input.on('data', (chunk) => {
    done += chunk.length
    const percent = Math.floor((100 * done) / size)
    if (percent < shown + 20) return
    shown = percent
    process.stdout.write(` ${percent} %`)
  })
  await pipeline(input, transform, createWriteStream(to))
  const seconds = (performance.now() - started) / 1000
  const rate = (size / 2 ** 20 / seconds).toFixed(0)
  say(`, ${megabytes(size)} in ${seconds.toFixed(1)} s, ${rate} MiB/s`)
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

async function findEndpoint(work: string): Promise<Endpoint> {
  const url = process.env['AWS_ENDPOINT_URL_KMS'] ?? process.env['AWS_ENDPOINT_URL']
  const region = process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? 'us-west-2'
  if (url !== undefined) {
    say(`using the server at ${url}`)
    // The credentials file that a start prints is in its data directory; without it, the settings name the directory.
    const told = process.env['AWS_SHARED_CREDENTIALS_FILE']
    const data = [
      ...(told === undefined ? [] : [dirname(told)]),
      loadConfig(process.env).dataDirectory,
    ]
    const journals = data.map((directory) => join(directory, 'journal'))
    return { url, region, journals, stop: () => Promise.resolve() }
  }
  return startServer(join(work, 'data'), region)
}

async function startServer(directory: string, region: string): Promise<Endpoint> {
  const credentials = {
    accessKeyId: 'demo',
    secretAccessKey: randomBytes(24).toString('hex'),
  }
  const child = spawn(process.execPath, [join(root, 'src', 'main.ts'), 'serve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      TRENT_LISTEN: '127.0.0.1:0',
      TRENT_DATA_DIR: directory,
      TRENT_REGION: region,
      TRENT_LOG_LEVEL: 'warn',
      TRENT_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
      TRENT_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  for await (const line of createInterface({ input: child.stdout })) {
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? []
    if (url === undefined) continue
    child.stdout.resume()
    say(`started a server at ${url}`)
    const stop = async (): Promise<void> => {
      child.kill('SIGTERM')
      await ended
    }
    return { url, region, credentials, journals: [join(directory, 'journal')], stop }
  }
  throw new Error('the server ended before it was ready')
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

await main()
