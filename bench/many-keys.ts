/**
 * Measures what grows with the number of keys: a start, a backup, its check, a restore, and wrapping everything
 * anew under another root key. It compares two numbers of keys. `node bench/many-keys.ts [fewer] [more]`
 *
 * Figures are CPU time of all threads of a process, its largest resident memory, and the bytes that it made.
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
import { accountId, makeDirectory, region, root, startTrent } from './servers.ts'
import { readUsage } from './usage.ts'

const [fewer, more] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 100_000)]
const batch = 500
const watchMs = 25
/** Everything would take long, because the server rests three quarters of the time. */
const rewrappedRows = 5000
const rewrapLookMs = 2000

interface Figure {
  /** Seconds of CPU time. */
  readonly cpu: number
  /** MiB; 0 if it was not read. */
  readonly memory: number
  /** MiB: what the step has made. */
  readonly size?: number
}

const mebibytes = (bytes: number): number => bytes / 2 ** 20

function settingsOf(directory: string): NodeJS.ProcessEnv {
  return {
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
async function command(directory: string, ...parameters: readonly string[]): Promise<Figure> {
  const script = join(import.meta.dirname, '..', 'src', 'main.ts')
  const child = spawn(process.execPath, [script, ...parameters], {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: join(directory, '..'),
    env: settingsOf(directory),
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
  return { cpu, memory }
}

/** Puts keys into the database of a stopped server: each with its material and an alias. */
async function fill(directory: string, keys: number): Promise<void> {
  const database = await openDatabase({ path: join(directory, 'trent.db') })
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

/** Wraps rows anew under another root key for a while. */
async function rewrapping(directory: string, used: () => number): Promise<Figure> {
  const begun = used()
  await callOperator(directory, 'BeginRekey', { rotate: true })
  for (;;) {
    await sleep(rewrapLookMs)
    const { seal } = (await callOperator(directory, 'GetStatus')) as ServerStatus
    const { rewrapped = 0 } = seal.former ?? {}
    // The same tables for each number of keys.
    if (rewrapped < rewrappedRows) continue
    return { cpu: (1000 * (used() - begun)) / rewrapped, memory: 0 }
  }
}

async function measured(keys: number): Promise<Readonly<Record<string, Figure>>> {
  const above = makeDirectory()
  const directory = join(above, 'data')
  const settings = { TRENT_SEAL: `file:${join(above, 'seal.key')}` }
  await (await startTrent(directory, settings)).stop()
  await fill(directory, keys)
  const server = await startTrent(directory, settings)
  const used = (): number => readUsage(server.pid).process / 1e9
  const started = { cpu: used(), memory: peakOf(server.pid) }
  // The check after the start reads every table once.
  await sleep(5000)
  const file = join(above, 'backup')
  const before = used()
  const taking = await command(directory, 'backup', file)
  const size = mebibytes(statSync(file).size)
  const taken = { cpu: used() - before, memory: peakOf(server.pid), size }
  const rewrapped = await rewrapping(directory, used)
  await server.stop()
  const checked = await command(directory, 'backup', 'verify', '--open', file)
  const there = join(makeDirectory(), 'data')
  const key = ['--seal-key', join(above, 'seal.key'), '--accept-resurrection']
  const restored = await command(there, 'restore', file, ...key)
  return {
    'start and unseal': started,
    'backup: server': taken,
    'backup: command': taking,
    'backup verify --open': checked,
    restore: { ...restored, size: mebibytes(statSync(join(there, 'trent.db')).size) },
    'wrap 1000 rows anew': rewrapped,
  }
}

const [small, large] = [await measured(fewer), await measured(more)]
const shown = (n: number | undefined): string => (n === undefined ? '' : n.toFixed(1))
process.stdout.write(
  [
    `| Step | CPU s, ${fewer} keys | CPU s, ${more} keys | times | MiB memory | MiB memory | MiB made | MiB made |`,
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...Object.entries(small).map(([step, one]) => {
      const other = large[step] ?? one
      const cells = [
        step,
        shown(one.cpu),
        shown(other.cpu),
        shown(other.cpu / one.cpu),
        shown(one.memory),
        shown(other.memory),
        shown(one.size),
        shown(other.size),
      ]
      return `| ${cells.join(' | ')} |`
    }),
    '',
  ].join('\n'),
)
