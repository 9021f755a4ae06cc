/** Nodes of one deployment, whose rows and time a test makes up. The store, seals and keyrings are real. @module */
import assert from 'node:assert/strict'
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { keyringOf, type TurningKeyring } from '../../src/crypto/domain-keys.ts'
import type { NodeRecord } from '../../src/model/node.ts'
import { fileSeal } from '../../src/seals/file.ts'
import type { Seal } from '../../src/seals/seal.ts'
import type { RootGenerations } from '../../src/server/generation-parts.ts'
import { openDeployment } from '../../src/server/root-key.ts'
import { createRootGenerations } from '../../src/server/root-generations.ts'
import { createStore } from '../../src/store/bound-store.ts'
import { readDeployment } from '../../src/store/tables/deployment.ts'
import { putNextSeal, type NextRole } from '../../src/store/tables/other-seals.ts'
import { realRandom } from '../crypto/fixed.ts'
import { engines, temporaryFolder } from '../store/engines.ts'
import { accountId, insertAccounts, region } from '../store/records.ts'
import { ownSealOf } from './own-seals.ts'

const [sqlite] = engines
const clock = { now: () => Date.now(), system: () => Date.now() }
const moved = async (): Promise<void> => undefined

export interface TestNode {
  readonly keyring: TurningKeyring
  readonly generations: RootGenerations
  /** Writes its row, and goes on by what the rows say. */
  readonly confirm: () => Promise<void>
  readonly fatal: readonly Error[]
}

export async function openWorld(t: TestContext) {
  assert.ok(sqlite)
  const closing: (() => Promise<void>)[] = []
  // Before the database, which closes when its own hook runs.
  t.after(() => Promise.all(closing.map((close) => close())))
  const { database } = await sqlite.open(t)
  const seal = fileSeal(join(temporaryFolder(t), 'seal.key'), realRandom)
  const made = await openDeployment({ database, seal, clock, random: realRandom })
  const rows = new Map<string, NodeRecord>()
  let elapsedMs = 0
  const now = performance.now.bind(performance)
  t.mock.method(performance, 'now', () => now() + elapsedMs)
  const world = {
    database,
    seal,
    made,
    rows,
    closing,
    /** Rows that are in the table, and that nobody can prove. */
    unproved: 0,
    pass(ms: number) {
      elapsedMs += ms
    },
    /** The versions that the tags of the accounts name. */
    async tags(): Promise<readonly number[]> {
      const found = await database.query.selectFrom('accounts').select('row_tag').execute()
      return [...new Set(found.map((row) => Buffer.from(row.row_tag).readUInt32BE(0)))]
    },
    async newRoot(): Promise<{ readonly key: KeyObject; readonly record: Uint8Array }> {
      const rootKey = randomBytes(32)
      return {
        key: createSecretKey(rootKey),
        record: (await seal.seal(rootKey, made.deploymentId)).record,
      }
    },
    /** Has a seal wait for its proof, as `trent rekey` and `trent rotate-root` do. */
    async wait(role: NextRole, sealedRootKey: Uint8Array, { keyring }: TestNode): Promise<void> {
      const opened = (await readDeployment(database))?.seal.sealedRootKey ?? assert.fail()
      const next = { role, kind: 'file', sealedRootKey, createdAt: 0 }
      await putNextSeal(database, next, { opened, keyring })
    },
    async rotate(node: TestNode): Promise<void> {
      const { key, record } = await world.newRoot()
      await node.generations.requireSettled()
      await world.wait('next-root', record, node)
      await node.generations.adopt(key, record)
    },
  }
  return world
}

type World = Awaited<ReturnType<typeof openWorld>>

function failBy({ err }: { readonly err?: unknown }): void {
  throw err
}

export function startNode(
  world: World,
  nodeId: string,
  { seal = world.seal, warn = failBy }: Partial<{ seal: Seal; warn: typeof failBy }> = {},
): TestNode {
  const { database, made, rows } = world
  const keyring = keyringOf(made.deploymentId, made.domainKeys, realRandom)
  const store = createStore(database, keyring, { onForgedRow: assert.fail })
  const fatal: Error[] = []
  let seen: ((nodes: readonly NodeRecord[]) => void) | undefined
  const generations = createRootGenerations({
    database,
    store: {
      change: (work) => store.change(work),
      listNodes: async () => [...rows.values()],
      countNodes: async () => rows.size + world.unproved,
    },
    node: { nodeId, follow: (given) => (seen = given) },
    ownSeal: ownSealOf(database, seal),
    deployment: made,
    keyring,
    workers: { turnKeys: moved },
    grantReader: { turnKeys: moved },
    list: moved,
    clock,
    random: realRandom,
    firstAccount: { accountId },
    region,
    onFatal: (error) => fatal.push(error),
    log: { info: () => undefined, warn },
  })
  generations.begin({ commit: async (work) => void (await store.change(work)) })
  generations.followNodes()
  world.closing.push(generations.close)
  const confirm = async (): Promise<void> => {
    const { oldestVersion, knownVersion, newestVersion } = keyring
    const versions = { oldestKey: oldestVersion, knownKey: knownVersion, currentKey: newestVersion }
    rows.set(nodeId, { nodeId, name: nodeId, state: 'serving', ...versions } as NodeRecord)
    seen?.([...rows.values()])
    await generations.requireSettled().catch(() => undefined) // behind nothing: a breath
    await sleep(20)
  }
  return { keyring, generations, confirm, fatal }
}

export async function twoNodes(t: TestContext) {
  const world = await openWorld(t)
  const [a, b] = [startNode(world, 'a'), startNode(world, 'b')]
  await a.confirm()
  await b.confirm()
  const store = createStore(world.database, a.keyring, { onForgedRow: assert.fail })
  await insertAccounts(store)
  return { world, a, b }
}

export const versionsOf = ({ keyring }: TestNode): readonly number[] => [
  keyring.oldestVersion,
  keyring.knownVersion,
  keyring.newestVersion,
]

export async function until(
  what: () => Promise<boolean>,
  ...nodes: readonly TestNode[]
): Promise<void> {
  for (let tries = 0; !(await what()); tries += 1) {
    assert.ok(tries < 200, 'it never came true')
    for (const node of nodes) await node.confirm()
  }
}

export async function isRewrapped({ generations }: TestNode): Promise<boolean> {
  return (await generations.status()).former?.state === 'rewrapped'
}
