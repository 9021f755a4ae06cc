/**
 * Measures what grows with the number of keys: a start, a backup, its check, a restore, and wrapping
 * everything anew under another root key. It compares two numbers of keys. `node bench/many-keys.ts [fewer]
 * [more]`, with PostgreSQL by `BENCH_DATABASE_URL` (`bench/database.ts`).
 *
 * Figures are CPU time of all threads of a process of Trent (not of PostgreSQL), the time that passed, the
 * largest resident memory of the process so far, and the bytes that it made. The exit status is 1 if one of
 * them grows faster than the number of keys. The time that passed does not count: it is also that of other
 * work on the machine.
 * @module
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { keyringOf } from '../src/crypto/domain-keys.ts'
import { systemRandom } from '../src/crypto/entropy.ts'
import { wrapMaterial, type MaterialPlace } from '../src/crypto/material.ts'
import { callOperator } from '../src/operator/client.ts'
import type { ServerStatus } from '../src/operations/contract/server-controls.ts'
import { fileSeal } from '../src/seals/file.ts'
import { openSealed } from '../src/cli/secret-input.ts'
import { deploymentUnder } from '../src/server/root-key.ts'
import { createStore } from '../src/store/bound-store.ts'
import { openDatabase } from '../src/store/open.ts'
import { readDeployment } from '../src/store/tables/deployment.ts'
import { dropPlaces, placeOf, type Place } from './database.ts'
import { accountId, makeDirectory, region, root, startTrent } from './servers.ts'
import { readUsage } from './usage.ts'

const [fewer, more] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 100_000)]
const batch = 500
const watchMs = 25
const rewrapLookMs = 1000
/** How much faster than the number of keys a figure may grow. */
const tolerance = 1.3

interface Figure {
  /** Seconds of CPU time. */
  readonly cpu: number
  /** Seconds that passed. */
  readonly elapsed: number
  /** MiB */
  readonly memory: number
  /** MiB: what the step has made. */
  readonly size?: number
}

interface Measured {
  readonly steps: Readonly<Record<string, Figure>>
  /** Rows that were wrapped anew. */
  readonly rewrapped: number
}

const shown = (n: number | undefined): string => (n === undefined ? '' : n.toFixed(1))
const mebibytes = (bytes: number): number => bytes / 2 ** 20

/** Returns a function that returns the seconds since this call. */
function stopwatch(): () => number {
  const begun = performance.now()
  return () => (performance.now() - begun) / 1000
}

function settingsOf(directory: string, place: Place): NodeJS.ProcessEnv {
  return {
    ...place.settings,
    PATH: process.env['PATH'],
    TRENT_DATA_DIR: directory,
    TRENT_ACCOUNT_ID: accountId,
    TRENT_SEAL: `file:${join(directory, '..', 'seal.key')}`,
    TRENT_ROOT_ACCESS_KEY_ID: root.accessKeyId,
    TRENT_ROOT_SECRET_ACCESS_KEY: root.secretAccessKey,
  }
}

/** The largest resident memory so far. */
function peakOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** Runs `trent` to its end, and returns what it used up to its last moments. */
async function command(
  directory: string,
  place: Place,
  ...parameters: readonly string[]
): Promise<Figure> {
  const script = join(import.meta.dirname, '..', 'src', 'main.ts')
  const elapsed = stopwatch()
  const child = spawn(process.execPath, [script, ...parameters], {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: join(directory, '..'),
    env: settingsOf(directory, place),
  })
  const ended = once(child, 'exit')
  let [cpu, memory] = [0, 0]
  const watch = setInterval(() => {
    const pid = child.pid ?? 0
    cpu = Math.max(cpu, readUsage(pid).process / 1e9)
    memory = Math.max(memory, peakOf(pid))
  }, watchMs)
  const [code] = (await ended) as [number | null]
  clearInterval(watch)
  if (code !== 0) throw new Error(`trent ${parameters.join(' ')} ended with ${code}`)
  return { cpu, elapsed: elapsed(), memory }
}

/** Puts keys into the database of a stopped server: each with its material and an alias. */
async function fill(directory: string, { open }: Place, keys: number): Promise<void> {
  const database = await openDatabase(open)
  try {
    const deployment = await readDeployment(database)
    if (deployment === undefined) throw new Error('there is no deployment')
    const { deploymentId } = deployment
    const seal = fileSeal(join(directory, '..', 'seal.key'), systemRandom)
    const rootKey = await openSealed(seal, deployment.seal.sealedRootKey, deploymentId, () => {
      throw new Error('a key file asks for nothing')
    })
    const { domainKeys } = deploymentUnder(rootKey, deployment)
    const keyring = keyringOf(deploymentId, domainKeys, systemRandom)
    const store = createStore(database, keyring, { onForgedRow: () => undefined })
    const principal = `arn:aws:iam::${accountId}:root`
    const statement = {
      Effect: 'Allow',
      Principal: { AWS: principal },
      Action: 'kms:*',
      Resource: '*',
    }
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
    for (let made = 0; made < keys; made += batch) {
      await store.change(async (transaction) => {
        for (let n = made; n < Math.min(keys, made + batch); n += 1) {
          const keyId = systemRandom.uuid()
          const place: MaterialPlace = {
            accountId,
            region,
            keyId,
            createdAt: 1_764_000_000_000,
            spec: 'SYMMETRIC_DEFAULT',
            usage: 'ENCRYPT_DECRYPT',
            origin: 'AWS_KMS',
          }
          const material = wrapMaterial(keyring, place, randomBytes(32))
          const { materialId } = material
          const ref = { accountId, region, keyId }
          await transaction.insertKey({
            ...place,
            manager: 'CUSTOMER',
            state: 'Enabled',
            description: `key ${n}`,
            policy,
            currentMaterialId: materialId,
            policyPrincipals: {},
            tags: [],
          })
          await transaction.insertMaterial(material)
          await transaction.insertMaterialState({
            ...ref,
            materialId,
            ordinal: 1,
            state: 'CURRENT',
          })
          await transaction.insertAlias({
            accountId,
            region,
            name: `alias/key-${n}`,
            targetKeyId: keyId,
            createdAt: place.createdAt,
            updatedAt: place.createdAt,
          })
        }
      })
    }
  } finally {
    await database.close()
  }
}

/** Makes another root key, and waits until nothing is under the former one. Returns the number of rows. */
async function rewrapEverything(directory: string): Promise<number> {
  await callOperator(directory, 'BeginRekey', { rotate: true })
  for (;;) {
    const { seal } = (await callOperator(directory, 'GetStatus')) as ServerStatus
    const { state, rewrapped = 0 } = seal.former ?? {}
    if (state === 'rewrapped') return rewrapped
    await sleep(rewrapLookMs)
  }
}

async function measured(keys: number): Promise<Measured> {
  const steps: Record<string, Figure> = {}
  const note = (step: string, figure: Figure): void => {
    steps[step] = figure
    const { cpu, elapsed } = figure
    process.stderr.write(`${keys} keys, ${step}: ${shown(cpu)} s of CPU in ${shown(elapsed)} s\n`)
  }
  const above = makeDirectory()
  const directory = join(above, 'data')
  const place = await placeOf(directory)
  const settings = { ...place.settings, TRENT_SEAL: `file:${join(above, 'seal.key')}` }
  await (await startTrent(directory, settings)).stop()
  await fill(directory, place, keys)
  const starting = stopwatch()
  const server = await startTrent(directory, settings)
  const used = (): number => readUsage(server.pid).process / 1e9
  const figureOf = (since: number, elapsed: number): Figure => ({
    cpu: used() - since,
    elapsed,
    memory: peakOf(server.pid),
  })
  note('start and unseal', figureOf(0, starting()))
  // The check after the start reads every table once.
  await sleep(5000)
  const file = join(above, 'backup')
  const before = used()
  const taken = await command(directory, place, 'backup', file)
  const size = mebibytes(statSync(file).size)
  note('backup: server', { ...figureOf(before, taken.elapsed), size })
  note('backup: command', taken)
  const [unrotated, rewrapping] = [used(), stopwatch()]
  const rewrapped = await rewrapEverything(directory)
  note('wrap everything anew', figureOf(unrotated, rewrapping()))
  await server.stop()
  note('backup verify --open', await command(directory, place, 'backup', 'verify', '--open', file))
  const there = join(makeDirectory(), 'data')
  const restoredTo = await placeOf(there)
  const key = ['--seal-key', join(above, 'seal.key'), '--accept-resurrection']
  const restored = await command(there, restoredTo, 'restore', file, ...key)
  note('restore', { ...restored, size: mebibytes(await restoredTo.bytes()) })
  return { steps, rewrapped }
}

async function both(): Promise<readonly [Measured, Measured]> {
  try {
    return [await measured(fewer), await measured(more)]
  } finally {
    await dropPlaces()
  }
}

const [small, large] = await both()
const counted = ['cpu', 'memory', 'size'] as const
const tooFast: string[] = []
const rows = Object.entries(small.steps).map(([step, one]) => {
  const other = large.steps[step] ?? one
  for (const figure of counted) {
    const times = (other[figure] ?? 0) / (one[figure] ?? 1)
    if (times > (tolerance * more) / fewer) tooFast.push(`${step}: ${figure} ${shown(times)} times`)
  }
  const figures = [one, other].flatMap(({ cpu, elapsed, memory, size }) =>
    [cpu, elapsed, memory, size].map(shown),
  )
  return `| ${[step, ...figures, shown(other.cpu / one.cpu)].join(' | ')} |`
})
const heads = [fewer, more].map((keys) => `${keys} keys: CPU s | elapsed s | MiB memory | MiB made`)
process.stdout.write(
  [
    `| Step | ${heads.join(' | ')} | CPU times |`,
    `| ${Array.from({ length: 10 }, () => '---').join(' | ')} |`,
    ...rows,
    '',
    `rows wrapped anew: ${small.rewrapped}, ${large.rewrapped}`,
    ...tooFast.map((each) => `grows faster than the number of keys: ${each}`),
    '',
  ].join('\n'),
)
if (tooFast.length > 0) process.exitCode = 1
