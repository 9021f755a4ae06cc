/**
 * `npm run bench`: Encrypt, Decrypt and GenerateDataKey as requests a second, and as ratios to a bare
 * `node:http` server measured in the same run with requests and answers of the same size; then Encrypt's
 * p99 while RSA key pairs are made. Every request is signed freshly and sent once; signatures are made
 * before the clock starts.
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
import { measureBesideKeyPairs } from './beside-key-pairs.ts'
import { load, type Load } from './load.ts'
import { createSigner, signedRequest, type Signer } from './sign.ts'

const requests = Number(process.env['BENCH_REQUESTS'] ?? '20000')
const connections = Number(process.env['BENCH_CONNECTIONS'] ?? '64')
const rounds = Number(process.env['BENCH_ROUNDS'] ?? '3')
const root = join(import.meta.dirname, '..')
const accessKeyId = 'bench'
const secretAccessKey = randomBytes(24).toString('hex')
const region = 'us-west-2'

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'trent-bench-'))
  const children: ChildProcess[] = []
  try {
    const port = await startTrent(directory, children)
    const signer = createSigner(`127.0.0.1:${port}`, region, accessKeyId, secretAccessKey)
    const { KeyId, inputs } = await prepareInputs(port)
    process.stdout.write(
      `${requests} requests, ${connections} connections, best of ${rounds} rounds\n` +
        'operation         requests/s   p50 ms   p99 ms   floor req/s   ratio\n',
    )
    for (const [operation, input] of inputs) {
      await measure(operation, input, signer, port, children)
    }
    await measureBesideKeyPairs(port, signer, KeyId)
  } finally {
    const ended = children.map((child) => once(child, 'exit'))
    for (const child of children) child.kill('SIGTERM')
    await Promise.all(ended)
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Rounds alternate between floor and server, so that both meet the same machine. */
async function measure(
  operation: string,
  input: () => object,
  signer: Signer,
  port: number,
  children: ChildProcess[],
): Promise<void> {
  const fresh = (): Buffer[] =>
    Array.from({ length: requests }, () => signedRequest(signer, operation, input()))
  const warm = await load(port, fresh().slice(0, 2000), connections)
  const floorPort = await startFloor(warm.answerBytes, children)
  await load(floorPort, fresh().slice(0, 2000), connections)
  let best: Load = warm
  let floor = 0
  for (let round = 0; round < rounds; round += 1) {
    const bare = await load(floorPort, fresh(), connections)
    floor = Math.max(floor, bare.requestsPerSecond)
    const run = await load(port, fresh(), connections)
    if (round === 0 || run.requestsPerSecond > best.requestsPerSecond) best = run
  }
  const cells = [
    operation.padEnd(16),
    best.requestsPerSecond.toFixed(0).padStart(11),
    best.p50.toFixed(2).padStart(8),
    best.p99.toFixed(2).padStart(8),
    floor.toFixed(0).padStart(13),
    (best.requestsPerSecond / floor).toFixed(2).padStart(7),
  ]
  process.stdout.write(`${cells.join(' ')}\n`)
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
  // A member that AWS ignores makes every body, and so every signature, one of its own.
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

async function startTrent(directory: string, children: ChildProcess[]): Promise<number> {
  const child = spawn(process.execPath, [join(root, 'src', 'main.ts'), 'serve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      TRENT_LISTEN: '127.0.0.1:0',
      TRENT_DATA_DIR: directory,
      TRENT_ROOT_ACCESS_KEY_ID: accessKeyId,
      TRENT_ROOT_SECRET_ACCESS_KEY: secretAccessKey,
      TRENT_LOG_LEVEL: 'warn',
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
