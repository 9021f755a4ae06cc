/** Sealing the root key anew on several nodes, and proofs that another rekey overtakes. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { keyringOf } from '../../src/crypto/domain-keys.ts'
import type { Keyring } from '../../src/crypto/keyring.ts'
import type { OpenDeployment } from '../../src/crypto/open-deployment.ts'
import type { RekeyRequest, RekeyState } from '../../src/operations/contract/seal-controls.ts'
import { fileSeal } from '../../src/seals/file.ts'
import { passphraseSeal } from '../../src/seals/passphrase.ts'
import type { Seal } from '../../src/seals/seal.ts'
import { shamirSeal } from '../../src/seals/shamir.ts'
import { isReplaced } from '../../src/server/join-as-node.ts'
import { createRekeying, type Rekeying } from '../../src/server/rekeying.ts'
import { deploymentUnder, makeDeployment } from '../../src/server/root-key.ts'
import type { Database } from '../../src/store/database.ts'
import { openDatabase } from '../../src/store/open.ts'
import { readDeployment } from '../../src/store/tables/deployment.ts'
import { putNextSeal, readOtherSeals, SealReplaced } from '../../src/store/tables/other-seals.ts'
import { realRandom } from '../crypto/fixed.ts'
import { temporaryFolder } from '../store/engines.ts'
import { ownSealOf } from './own-seals.ts'

const clock = { now: () => 1, system: () => 1 }
const two = { shares: 2, threshold: 2 }
const costs = { memoryKiB: 19_456, passes: 1, lanes: 1 }

interface Node extends Rekeying {
  readonly giveText: (text: string | undefined) => Promise<RekeyState>
}

interface World {
  readonly database: Database
  readonly keyring: Keyring
  readonly shares: readonly string[]
  readonly node: (seal: Seal) => Node
  readonly sealed: () => Promise<Uint8Array>
}

/** A deployment with a root key that is open. */
async function worldOf(t: TestContext, seal: Seal, secrets?: readonly string[]): Promise<World> {
  const database = await openDatabase({ path: join(temporaryFolder(t), 'trent.db') })
  t.after(() => database.close())
  const [passphrase] = secrets ?? []
  const wanted = passphrase === undefined ? two : { passphrase: Buffer.from(passphrase) }
  const made = await makeDeployment({ database, seal, clock, random: realRandom }, wanted)
  const { record, shares = [] } = made
  const opening = seal.open(record.seal.sealedRootKey, record.deploymentId)
  let opened: OpenDeployment | undefined
  for (const secret of secrets ?? (shares.length > 0 ? shares : [undefined])) {
    const given = secret === undefined ? opening.give() : opening.give(Buffer.from(secret), 'me')
    const rootKey = await given
    if (rootKey !== undefined) opened = deploymentUnder(rootKey, record)
  }
  const deployment = opened ?? assert.fail('it did not open')
  const keyring = keyringOf(deployment.deploymentId, deployment.domainKeys, realRandom)
  return {
    database,
    keyring,
    shares,
    sealed: async () => (await readDeployment(database))?.seal.sealedRootKey ?? assert.fail(),
    node(own) {
      const rekeying = createRekeying({
        database,
        generations: {
          deployment: () => deployment,
          adopt: () => assert.fail('no root key may be adopted'),
          requireSettled: async () => undefined,
          status: async () => ({ generation: 1 }),
        },
        keyring,
        ownSeal: ownSealOf(database, own),
        sealOptions: {},
        clock,
        random: realRandom,
      })
      return {
        ...rekeying,
        giveText: (text = assert.fail()) => rekeying.give(Buffer.from(text), 'alice'),
      }
    },
  }
}

async function toShamir(node: Node, ...given: readonly string[]): Promise<readonly string[]> {
  let state = await node.begin({ seal: 'shamir', ...two })
  for (const each of given) state = await node.giveText(each)
  const shares = state.shares ?? assert.fail('no shares')
  for (const share of shares) state = await node.giveText(share)
  assert.equal(state.stage, 'done')
  return shares
}

const [first, second] = ['the first passphrase', 'the second passphrase']
const bySecond = (): RekeyRequest => ({ rotate: true, passphrase: Buffer.from(second) })

test('a new root key that waits for its proof ends with a rekey that overtakes it', async (t) => {
  const world = await worldOf(t, passphraseSeal(realRandom, costs), [first])
  const [a, b] = [world.node(passphraseSeal(realRandom)), world.node(passphraseSeal(realRandom))]
  await a.begin(bySecond())
  assert.equal((await a.giveText(first)).stage, 'prove')
  assert.ok('next-root' in (await readOtherSeals(world.database)))
  await toShamir(b, first)
  assert.deepEqual(await readOtherSeals(world.database), {})
  // The one who knows the second passphrase, on the node that asked for it and on others.
  await assert.rejects(a.giveText(second), /proved|adopted/)
  for (const node of [b, world.node(shamirSeal(realRandom))]) {
    await assert.rejects(node.giveText(second), /is not being sealed anew/)
    assert.equal((await node.status()).rekey, undefined)
  }
})

test('a recovery seal that waits for its proof ends with a move to a seal of people', async (t) => {
  const seal = fileSeal(join(temporaryFolder(t), 'seal.key'), realRandom)
  const world = await worldOf(t, seal)
  const node = world.node(seal)
  const { shares = [] } = await node.begin({ recovery: true, ...two })
  await toShamir(world.node(seal))
  assert.deepEqual(await readOtherSeals(world.database), {})
  await node.giveText(shares[0])
  await assert.rejects(node.giveText(shares[1]), SealReplaced)
  assert.deepEqual(await readOtherSeals(world.database), {})
})

test('one seal waits for its proof, and not two', async (t) => {
  const world = await worldOf(t, passphraseSeal(realRandom, costs), [first])
  const node = world.node(passphraseSeal(realRandom))
  await node.begin(bySecond())
  await node.giveText(first)
  await node.begin({ seal: 'shamir', ...two })
  await node.giveText(first)
  assert.deepEqual(Object.keys(await readOtherSeals(world.database)), ['next'])
})

test('shares of a seal that another node replaced make no new seal', async (t) => {
  const world = await worldOf(t, shamirSeal(realRandom))
  const [a, b] = [world.node(shamirSeal(realRandom)), world.node(shamirSeal(realRandom))]
  const mine = { seal: 'passphrase', passphrase: Buffer.from(second) }
  await a.begin(mine)
  await a.giveText(world.shares[0])
  const former = await world.sealed()
  const shares = await toShamir(b, ...world.shares)
  await assert.rejects(a.giveText(world.shares[1]), /was replaced meanwhile: begin again/)
  assert.equal((await a.status()).rekey, undefined)
  // It may be replaced after the last share was given, too.
  const next = { role: 'next', kind: 'shamir', sealedRootKey: former, createdAt: 1 } as const
  const of = { opened: former, keyring: world.keyring }
  await assert.rejects(putNextSeal(world.database, next, of), SealReplaced)
  assert.deepEqual(await readOtherSeals(world.database), {})
  // The new shares do.
  await a.begin({ seal: 'passphrase', passphrase: Buffer.from(second) })
  for (const share of shares) await a.giveText(share)
  assert.equal((await a.giveText(second)).stage, 'done')
})

test('a node says by which seal another node sealed the root key, and does not open it as its own', async (t) => {
  const seal = fileSeal(join(temporaryFolder(t), 'seal.key'), realRandom)
  const world = await worldOf(t, seal)
  const a = world.node(seal)
  await toShamir(world.node(seal))
  assert.partialDeepStrictEqual(await a.status(), { kind: 'shamir', opensAlone: false })
  await assert.rejects(
    a.begin({ seal: 'shamir', ...two }),
    /the root key is sealed by shamir, and TRENT_SEAL is file/,
  )
})

test('what people gave is forgotten after an hour', async (t) => {
  const world = await worldOf(t, shamirSeal(realRandom))
  const node = world.node(shamirSeal(realRandom))
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await node.begin({ seal: 'passphrase', passphrase: Buffer.from(second) })
  t.mock.timers.tick(59 * 60_000)
  assert.deepEqual((await node.giveText(world.shares[0])).given?.length, 1)
  t.mock.timers.tick(59 * 60_000)
  assert.equal((await node.status()).rekey?.stage, 'open')
  t.mock.timers.tick(60_000)
  assert.equal((await node.status()).rekey, undefined)
  await assert.rejects(node.giveText(world.shares[1]), /is not being sealed anew/)
})

test('a deployment that another one replaced is not joined, even if its root key has the same number', async (t) => {
  const seal = passphraseSeal(realRandom, costs)
  const { database } = await worldOf(t, seal, [first])
  const found = (await readDeployment(database)) ?? assert.fail()
  const opened = { deploymentId: found.deploymentId, knownVersion: 1 }
  assert.equal(isReplaced(found, opened), false)
  assert.equal(isReplaced(found, { ...opened, knownVersion: 2 }), true)
  assert.equal(isReplaced({ ...found, deploymentId: realRandom.uuid() }, opened), true)
  assert.equal(isReplaced(undefined, opened), true)
})
