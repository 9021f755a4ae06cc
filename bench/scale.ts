/**
 * Measures an account with many keys: the start, memory, pages of lists from their beginning, middle and end, and
 * creating one more key and alias when counts are limited. `node bench/scale.ts [keys]`, with two aliases for
 * each key. The same run measures the server empty and full.
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
} from '@aws-sdk/client-kms'
import { systemRandom } from '../src/crypto/entropy.ts'
import { openDeployment } from '../src/server/first-start.ts'
import { keyringOf } from '../src/crypto/domain-keys.ts'
import { createClock } from '../src/jobs/clock.ts'
import { openFileSeal } from '../src/seals/file.ts'
import { createStore } from '../src/store/bound-store.ts'
import { openDatabase } from '../src/store/open.ts'

const keys = Number(process.argv[2] ?? 100_000)
const accountId = '111122223333'
const region = 'us-west-2'
const accessKeyId = 'bench'
const secretAccessKey = randomBytes(24).toString('hex')
const keysInTransaction = 250
const tries = 30

let running: ChildProcess | undefined
const directory = await mkdtemp(join(tmpdir(), 'trent-scale-'))
const print = (line: string): void => void process.stdout.write(`${line}\n`)

interface Started {
  readonly child: ChildProcess
  readonly kms: KMSClient
  /** Milliseconds until calls were served. */
  readonly took: number
}

async function start(): Promise<Started> {
  const from = performance.now()
  const child = spawn(process.execPath, [join(import.meta.dirname, '../src/main.ts'), 'serve'], {
    cwd: directory,
    env: {
      PATH: process.env['PATH'],
      TRENT_LISTEN: '127.0.0.1:0',
      TRENT_DATA_DIR: directory,
      TRENT_ACCOUNT_ID: accountId,
      TRENT_ROOT_ACCESS_KEY_ID: accessKeyId,
      TRENT_ROOT_SECRET_ACCESS_KEY: secretAccessKey,
      TRENT_LOG_LEVEL: 'error',
      // Each call that creates a key or an alias checks the counts.
      TRENT_QUOTAS: 'aws-2015',
      TRENT_QUOTA_OVERRIDES: `keys=${2 * keys + 1000},aliases=${4 * keys + 1000},CreateKey=1000,CreateAlias=1000,ListKeys=1000,ListAliases=1000`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running = child
  for await (const line of createInterface({ input: child.stdout })) {
    const [url] = /http:\/\/[\d.]+:\d+/.exec(line) ?? []
    if (url === undefined) continue
    const took = performance.now() - from
    child.stdout.resume()
    const credentials = { accessKeyId, secretAccessKey }
    return { child, took, kms: new KMSClient({ endpoint: url, region, credentials }) }
  }
  throw new Error('the server ended before it was ready')
}

async function stop({ child, kms }: Started): Promise<void> {
  kms.destroy()
  child.kill('SIGTERM')
  await once(child, 'exit')
}

async function fill(): Promise<void> {
  const database = await openDatabase({ path: join(directory, 'trent.db') })
  const seal = await openFileSeal(join(directory, 'seal.key'), systemRandom)
  const clock = createClock()
  const ports = { database, seal, clock, random: systemRandom }
  const { deploymentId, domainKeys } = await openDeployment(ports)
  const keyring = keyringOf(deploymentId, domainKeys, systemRandom)
  const store = createStore(database, keyring, {
    onForgedRow: (table) => print(`forged: ${table}`),
  })
  const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::${accountId}:root"},"Action":"kms:*","Resource":"*"}]}`
  const createdAt = clock.now()
  for (let made = 0; made < keys; made += keysInTransaction) {
    await store.change(async (transaction) => {
      for (let index = made; index < Math.min(keys, made + keysInTransaction); index += 1) {
        const keyId = systemRandom.uuid()
        const ref = { accountId, region, keyId }
        await transaction.insertKey({
          ...ref,
          spec: 'SYMMETRIC_DEFAULT',
          usage: 'ENCRYPT_DECRYPT',
          origin: 'EXTERNAL',
          manager: 'CUSTOMER',
          state: 'PendingImport',
          description: `number ${index}`,
          createdAt,
          policy,
          policyPrincipals: {},
          tags: [{ TagKey: 'number', TagValue: String(index) }],
        })
        for (const name of [`alias/a-${index}`, `alias/b-${index}`]) {
          const alias = { accountId, region, name, targetKeyId: keyId }
          await transaction.insertAlias({ ...alias, createdAt, updatedAt: createdAt })
        }
      }
    })
  }
  await database.close()
}

/** Milliseconds: the median of several tries. */
async function median(work: (index: number) => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let index = 0; index < tries; index += 1) {
    const from = performance.now()
    await work(index)
    times.push(performance.now() - from)
  }
  return times.toSorted((a, b) => a - b)[Math.floor(tries / 2)] ?? 0
}

/** The markers of three pages of a list: its first, one in its middle, and its last. */
async function markersOf(
  page: (marker: string | undefined) => Promise<{ NextMarker?: string | undefined }>,
): Promise<readonly (string | undefined)[]> {
  const markers: (string | undefined)[] = [undefined]
  for (;;) {
    const { NextMarker } = await page(markers.at(-1))
    if (NextMarker === undefined) break
    markers.push(NextMarker)
  }
  return [undefined, markers[Math.floor(markers.length / 2)], markers.at(-1)]
}

async function measure(name: string, { child, kms, took }: Started): Promise<void> {
  print(`\n${name}`)
  const memory = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
  const [, kilobytes = '?'] = /VmRSS:\s+(\d+) kB/.exec(memory) ?? []
  print(`  ready after ${took.toFixed(0)} ms, with ${kilobytes} kB resident`)
  const Limit = 100
  const lists = [
    ['ListKeys', (Marker?: string) => kms.send(new ListKeysCommand({ Limit: 1000, Marker }))],
    ['ListAliases', (Marker?: string) => kms.send(new ListAliasesCommand({ Limit, Marker }))],
  ] as const
  for (const [operation, page] of lists) {
    const [first, middle, last] = await markersOf(page)
    const times = []
    for (const marker of [first, middle, last]) times.push(await median(() => page(marker)))
    const said = times.map((ms) => `${ms.toFixed(1)} ms`).join(', ')
    print(`  ${operation}, a first, a middle and the last page: ${said}`)
  }
  let TargetKeyId = ''
  const key = await median(async () => {
    TargetKeyId = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? ''
  })
  const alias = await median((index) =>
    kms.send(new CreateAliasCommand({ AliasName: `alias/${name}-${index}`, TargetKeyId })),
  )
  print(
    `  CreateKey ${key.toFixed(1)} ms, CreateAlias ${alias.toFixed(1)} ms, with quotas that count`,
  )
}

try {
  const empty = await start()
  await measure('empty', empty)
  await stop(empty)
  const from = performance.now()
  await fill()
  print(
    `\nfilled with ${keys} keys and ${2 * keys} aliases in ${((performance.now() - from) / 1000).toFixed(0)} s`,
  )
  const full = await start()
  await measure('full', full)
  await stop(full)
} finally {
  // A server that is left after a failure.
  running?.kill('SIGKILL')
  await rm(directory, { recursive: true, force: true })
}
