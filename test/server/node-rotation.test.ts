/**
 * Two nodes that take a new root key, step by step: each sees what the other said at its last
 * confirmation. The real store, seals and keyrings; only the nodes' rows and the time are made up.
 * @module
 */
import assert from 'node:assert/strict'
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { keyringOf, type TurningKeyring } from '../../src/crypto/domain-keys.ts'
import type { NodeRecord } from '../../src/model/node.ts'
import { fileSeal } from '../../src/seals/file.ts'
import { openAlone, SealStopped, unattended, type Seal } from '../../src/seals/seal.ts'
import type { RootGenerations } from '../../src/server/generation-parts.ts'
import { openDeployment } from '../../src/server/root-key.ts'
import { createRootGenerations } from '../../src/server/root-generations.ts'
import { createStore } from '../../src/store/bound-store.ts'
import { readDeployment } from '../../src/store/tables/deployment.ts'
import {
  adoptSeal,
  putNextSeal,
  SealReplaced,
  type NextRole,
} from '../../src/store/tables/other-seals.ts'
import { realRandom } from '../crypto/fixed.ts'
import { engines, temporaryFolder } from '../store/engines.ts'
import { accountId, insertAccounts, region } from '../store/records.ts'
import { ownSealOf } from './own-seals.ts'

const [sqlite] = engines
const clock = { now: () => Date.now(), system: () => Date.now() }
const moved = async (): Promise<void> => undefined

interface TestNode {
  readonly keyring: TurningKeyring
  readonly generations: RootGenerations
  /** Writes its row, and goes on by what the rows say. */
  readonly confirm: () => Promise<void>
  readonly fatal: readonly Error[]
}

async function openWorld(t: TestContext) {
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

function startNode(
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

async function twoNodes(t: TestContext) {
  const world = await openWorld(t)
  const [a, b] = [startNode(world, 'a'), startNode(world, 'b')]
  await a.confirm()
  await b.confirm()
  const store = createStore(world.database, a.keyring, { onForgedRow: assert.fail })
  await insertAccounts(store)
  return { world, a, b }
}

const versionsOf = ({ keyring }: TestNode): readonly number[] => [
  keyring.oldestVersion,
  keyring.knownVersion,
  keyring.newestVersion,
]

async function until(what: () => Promise<boolean>, ...nodes: readonly TestNode[]): Promise<void> {
  for (let tries = 0; !(await what()); tries += 1) {
    assert.ok(tries < 200, 'it never came true')
    for (const node of nodes) await node.confirm()
  }
}

async function isRewrapped({ generations }: TestNode): Promise<boolean> {
  return (await generations.status()).former?.state === 'rewrapped'
}

test('a node turns when every other one knows the key, and wraps when every one has turned', async (t) => {
  const { world, a, b } = await twoNodes(t)
  await world.rotate(a)
  assert.deepEqual(versionsOf(a), [1, 2, 1])
  assert.equal((await a.generations.status()).former?.state, 'waiting')
  await assert.rejects(world.rotate(a), /does not know the current root key yet: b \(b\)/)
  await assert.rejects(world.rotate(b), /that this node does not know yet/)
  await assert.rejects(a.generations.retire(true), /does not know the current root key/)
  await a.confirm()
  assert.deepEqual(versionsOf(a), [1, 2, 1])
  await b.confirm() // it learns, and turns: both know it
  assert.deepEqual(versionsOf(b), [1, 2, 2])
  // What b said is from before.
  await a.confirm()
  assert.deepEqual(versionsOf(a), [1, 2, 1])
  await b.confirm()
  await a.confirm()
  assert.deepEqual(versionsOf(a), [1, 2, 2])
  await until(() => isRewrapped(a), a, b)
  assert.deepEqual(await world.tags(), [2])
  assert.deepEqual([...a.fatal, ...b.fatal], [])
})

test('a new root key that somebody else wrote, or that was given up, never comes into force', async (t) => {
  const { world, a } = await twoNodes(t)
  const { query } = world.database
  const written = () => query.selectFrom('other_seals').selectAll().executeTakeFirstOrThrow()
  const { key, record } = await world.newRoot()
  const other = await world.newRoot()
  await world.wait('next-root', record, a)
  const genuine = await written()
  for (const changed of [
    { tag: null },
    { tag: new Uint8Array(36) },
    { kind: 'passphrase' },
    { sealed_root_key: other.record },
  ]) {
    await query
      .updateTable('other_seals')
      .set({ ...genuine, ...changed })
      .execute()
    const proved = 'sealed_root_key' in changed ? other : { key, record }
    await assert.rejects(a.generations.adopt(proved.key, proved.record), SealReplaced)
  }
  // Another seal comes into force, and then somebody puts the former row back.
  const root = await openAlone(
    world.seal,
    (await readDeployment(world.database))?.seal.sealedRootKey ?? assert.fail(),
    world.made.deploymentId,
  )
  const { record: proved } = await world.seal.seal(root.export(), world.made.deploymentId)
  await world.wait('next', proved, a)
  const { keyring } = a
  await adoptSeal(world.database, { role: 'next', proved, keyring, dropRecovery: false })
  await query.insertInto('other_seals').values(genuine).execute()
  await assert.rejects(a.generations.adopt(key, record), SealReplaced)
  assert.deepEqual(versionsOf(a), [1, 1, 1])
  assert.equal((await readDeployment(world.database))?.domainKeys.length, 1)
})

test('a node whose HSM refuses the PIN asks it once for a new root key, and says so once', async (t) => {
  const world = await openWorld(t)
  let asked = 0
  const give = (): Promise<never> => {
    asked += 1
    return Promise.reject(new SealStopped('the HSM does not accept the PIN'))
  }
  const told: unknown[] = []
  const a = startNode(world, 'a')
  const seal = { ...world.seal, secretFile: join(temporaryFolder(t), 'pin') }
  const b = startNode(world, 'b', {
    seal: { ...seal, open: () => unattended(give) },
    warn: (each) => void told.push(each),
  })
  await a.confirm()
  await b.confirm()
  await insertAccounts(createStore(world.database, a.keyring, { onForgedRow: assert.fail }))
  await world.rotate(a)
  await a.confirm()
  await until(async () => told.length > 0, b)
  for (let times = 0; times < 10; times += 1) await b.confirm()
  assert.deepEqual([asked, told.length, versionsOf(b)], [1, 1, [1, 1, 1]])
})

test('a row that nobody can prove counts as a node that knows nothing', async (t) => {
  const { world, a } = await twoNodes(t)
  world.rows.delete('b')
  world.unproved = 1
  await assert.rejects(world.rotate(a), /does not know the current root key yet: a node/)
  assert.deepEqual(versionsOf(a), [1, 1, 1])
})

test('former keys are ended once all have turned for a while, and every node forgets them', async (t) => {
  const { world, a, b } = await twoNodes(t)
  await world.rotate(a)
  await until(() => isRewrapped(a), a, b)
  await assert.rejects(a.generations.retire(true), /have just turned/)
  world.pass(31_000)
  await assert.rejects(a.generations.retire(false), /sessions may be under a former root key/)
  assert.deepEqual(await a.generations.retire(true), { generation: 2, retired: 1 })
  assert.deepEqual(versionsOf(a), [2, 2, 2])
  // b still opens what is under the ended key, until it sees that it is ended.
  await a.confirm()
  await assert.rejects(world.rotate(a), /has not forgotten the former root keys yet/)
  await b.confirm()
  assert.deepEqual(versionsOf(b), [2, 2, 2])
  assert.equal((await b.generations.status()).former, undefined)
})

test('a node forgets an ended key also while there is a newer one', async (t) => {
  const { world, a, b } = await twoNodes(t)
  await world.rotate(a)
  await until(() => isRewrapped(a), a, b)
  await b.confirm()
  world.pass(31_000)
  await a.generations.retire(true)
  await a.confirm()
  // A row from before lets the next rotation begin: b has not said yet what it forgets.
  const row = world.rows.get('b')
  assert.ok(row)
  world.rows.set('b', { ...row, oldestKey: 2 })
  await world.rotate(a)
  await a.confirm()
  await b.confirm()
  await until(async () => versionsOf(b).join() === '2,3,3', a, b)
  await until(() => isRewrapped(a), a, b)
  assert.deepEqual(await world.tags(), [3])
})

test('what was seen for one root key says nothing about the next', async (t) => {
  const { world, a, b } = await twoNodes(t)
  await world.rotate(a)
  await until(() => isRewrapped(a), a, b)
  world.pass(31_000)
  await until(async () => versionsOf(b)[2] === 2, b, a)
  await world.rotate(a)
  await until(() => isRewrapped(a), a, b)
  assert.deepEqual(await world.tags(), [3])
  await assert.rejects(a.generations.retire(true), /have just turned/)
  world.pass(31_000)
  assert.deepEqual(await a.generations.retire(true), { generation: 3, retired: 2 })
})

test('a server that stops takes no further step', async (t) => {
  const { world, a, b } = await twoNodes(t)
  await world.rotate(a)
  await b.generations.close()
  await b.confirm()
  assert.deepEqual(versionsOf(b), [1, 1, 1])
  await a.generations.close()
  await assert.rejects(a.generations.retire(true), /the server is stopping/)
})
