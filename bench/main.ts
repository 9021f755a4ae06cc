/**
 * `npm run bench`: Encrypt, Decrypt and GenerateDataKey as requests a second, and as ratios to a bare
 * `node:http` server measured in the same run with requests and answers of the same size; then Encrypt's
 * p99 while RSA key pairs are generated. Every request has its own signature and is sent once; signatures are
 * made before the measurement starts.
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DecryptCommand, EncryptCommand, KMSClient, CreateKeyCommand } from '@aws-sdk/client-kms'
import { measureDuringKeyPairs } from './during-key-pairs.ts'
import { load, type Load } from './load.ts'
import { createSigner, signedRequest, type Signer } from './sign.ts'

const requests = Number(process.env['BENCH_REQUESTS'] ?? '20000')
const connections = Number(process.env['BENCH_CONNECTIONS'] ?? '64')
const rounds = Number(process.env['BENCH_ROUNDS'] ?? '3')
/** Numbers of workers to measure, with one server for each. */
const workers = (process.env['BENCH_WORKERS'] ?? '1').split(',')
const root = join(import.meta.dirname, '..')
const accessKeyId = 'bench'
const secretAccessKey = randomBytes(24).toString('hex')
const region = 'us-west-2'

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'trent-bench-'))
  const children: ChildProcess[] = []
  try {
    const servers = []
    for (const count of workers) {
      servers.push(await startServer(join(directory, count), count, children))
    }
    process.stdout.write(
      `${requests} requests, ${connections} connections, best of ${rounds} rounds\n` +
        'operation       workers  requests/s   p50 ms   p99 ms   floor req/s   ratio\n',
    )
    for (const operation of ['Encrypt', 'Decrypt', 'GenerateDataKey']) {
      await measure(operation, servers, children)
    }
    const [first] = servers
    if (first !== undefined) await measureDuringKeyPairs(first.port, first.signer, first.KeyId)
  } finally {
    const ended = children.map((child) => once(child, 'exit'))
    for (const child of children) child.kill('SIGTERM')
    await Promise.all(ended)
    rmSync(directory, { recursive: true, force: true })
  }
}

interface Measured {
  readonly workers: string
  readonly port: number
  readonly signer: Signer
  readonly KeyId: string
  readonly inputs: ReadonlyMap<string, () => object>
}

async function startServer(
  directory: string,
  count: string,
  children: ChildProcess[],
): Promise<Measured> {
  const port = await startTrent(directory, count, children)
  const signer = createSigner(`127.0.0.1:${port}`, region, accessKeyId, secretAccessKey)
  const { KeyId, inputs } = await prepareInputs(port)
  return { workers: count, port, signer, KeyId, inputs: new Map(inputs) }
}

/** Rounds alternate between floor and servers, so that all run under the same load of the machine. */
async function measure(
  operation: string,
  servers: readonly Measured[],
  children: ChildProcess[],
): Promise<void> {
  const fresh = ({ signer, inputs }: Measured, count = requests): Buffer[] =>
    Array.from({ length: count }, () =>
      signedRequest(signer, operation, inputs.get(operation)?.() ?? {}),
    )
  const best: Load[] = []
  for (const server of servers) {
    best.push(await load(server.port, fresh(server, 2000), connections))
  }
  const [first] = servers
  const floorPort = await startFloor(best[0]?.answerBytes ?? 0, children)
  if (first === undefined) return
  await load(floorPort, fresh(first, 2000), connections)
  let floor = 0
  for (let round = 0; round < rounds; round += 1) {
    const bare = await load(floorPort, fresh(first), connections)
    floor = Math.max(floor, bare.requestsPerSecond)
    for (const [index, server] of servers.entries()) {
      const run = await load(server.port, fresh(server), connections)
      const before = best[index]
      const isBetter = round === 0 || run.requestsPerSecond > (before?.requestsPerSecond ?? 0)
      if (isBetter) best[index] = run
    }
  }
  for (const [index, server] of servers.entries()) {
    const { requestsPerSecond, p50, p99 } = best[index] ?? { requestsPerSecond: 0, p50: 0, p99: 0 }
    const cells = [
      operation.padEnd(16),
      server.workers.padStart(6),
      requestsPerSecond.toFixed(0).padStart(11),
      p50.toFixed(2).padStart(8),
      p99.toFixed(2).padStart(8),
      floor.toFixed(0).padStart(13),
      (requestsPerSecond / floor).toFixed(2).padStart(7),
    ]
    process.stdout.write(`${cells.join(' ')}\n`)
  }
}

async function prepareInputs(
  port: number,
): Promise<{ readonly KeyId: string; readonly inputs: readonly [string, () => object][] }> {
  const client = new KMSClient({
    region,
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId, secretAccessKey },
  })
  const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId ?? ''
  const context = { purpose: 'bench' }
  const { CiphertextBlob } = await client.send(
    new EncryptCommand({ KeyId, Plaintext: randomBytes(32), EncryptionContext: context }),
  )
  await client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context }))
  client.destroy()
  const blob = Buffer.from(CiphertextBlob ?? []).toString('base64')
  // A member that AWS ignores makes every body, and so every signature, different.
  let serial = 0
  const unique = (input: object) => (): object => ({ ...input, Serial: (serial += 1) })
  const inputs: [string, () => object][] = [
    [
      'Encrypt',
      () => ({
        KeyId,
        Plaintext: randomBytes(32).toString('base64'),
        EncryptionContext: context,
      }),
    ],
    ['Decrypt', unique({ CiphertextBlob: blob, EncryptionContext: context })],
    ['GenerateDataKey', unique({ KeyId, KeySpec: 'AES_256', EncryptionContext: context })],
  ]
  return { KeyId, inputs }
}

async function startTrent(
  directory: string,
  count: string,
  children: ChildProcess[],
): Promise<number> {
  const child = spawn(process.execPath, [join(root, 'src', 'main.ts'), 'serve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      TRENT_LISTEN: '127.0.0.1:0',
      TRENT_DATA_DIR: directory,
      TRENT_ROOT_ACCESS_KEY_ID: accessKeyId,
      TRENT_ROOT_SECRET_ACCESS_KEY: secretAccessKey,
      TRENT_LOG_LEVEL: 'warn',
      TRENT_WORKERS: count,
    },
  })
  children.push(child)
  const line = await firstLine(child, /http:\/\/127\.0\.0\.1:(\d+)/)
  return Number(line[1])
}

async function startFloor(answerBytes: number, children: ChildProcess[]): Promise<number> {
  const child = spawn(process.execPath, [join(root, 'bench', 'floor.ts'), String(answerBytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  return Number((await firstLine(child, /(\d+)/))[1])
}

async function firstLine(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  if (child.stdout === null) throw new Error('no output')
  for await (const line of createInterface({ input: child.stdout })) {
    const match = pattern.exec(line)
    if (match !== null) {
      child.stdout.resume()
      return match
    }
  }
  throw new Error('the server ended before it was ready')
}

await main()
