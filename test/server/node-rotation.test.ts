/**
 * Two nodes that take a new root key, step by step: each sees what the other said at its last
 * confirmation.
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDomainKey } from '../../src/crypto/domain-keys.ts'
import { openAlone, SealStopped, unattended } from '../../src/seals/seal.ts'
import { createStore } from '../../src/store/bound-store.ts'
import { domainKeys } from '../../src/store/schema/deployment.ts'
import { readDeployment } from '../../src/store/tables/deployment.ts'
import { adoptSeal, SealReplaced } from '../../src/store/tables/other-seals.ts'
import { realRandom } from '../crypto/fixed.ts'
import { temporaryFolder } from '../store/engines.ts'
import { insertAccounts } from '../store/records.ts'
import { isRewrapped, openWorld, startNode, twoNodes, until, versionsOf } from './rotating-nodes.ts'

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

test('a node takes no root key from somebody who never knew the domain keys', async (t) => {
  const world = await openWorld(t)
  const told: unknown[] = []
  const a = startNode(world, 'a')
  const b = startNode(world, 'b', { warn: ({ err }) => void told.push(err) })
  await a.confirm()
  await b.confirm()
  await insertAccounts(createStore(world.database, a.keyring, { onForgedRow: assert.fail }))
  await world.rotate(a)
  const { query } = world.database
  const genuine = await readDeployment(world.database)
  assert.ok(genuine)
  // They may use the seal, and write to the database before b has looked.
  const stranger = await world.newRoot()
  const write = async (sealedRootKey: Uint8Array, keys: typeof genuine.domainKeys) => {
    await query
      .updateTable('seals')
      .set({ sealed_root_key: sealedRootKey })
      .where('generation', '=', 2)
      .execute()
    for (const { version, wrapped } of keys) {
      const row = query.updateTable('domain_keys').set({ wrapped }).where('version', '=', version)
      await row.execute()
    }
  }
  const { deploymentId } = world.made
  const forged = genuine.domainKeys.map((each) => ({
    ...each,
    wrapped: createDomainKey(stranger.key, deploymentId, each.version, realRandom),
  }))
  await write(stranger.record, forged)
  await a.confirm()
  await until(async () => told.length > 0, b)
  assert.match(String(told), /does not come with the domain keys of this deployment/)
  await query.deleteFrom('domain_keys').where('version', '=', 1).execute()
  for (let times = 0; times < 5; times += 1) await b.confirm()
  assert.deepEqual([versionsOf(b), told.length], [[1, 1, 1], 1])
  // What a wrote is taken when it is back.
  for (const each of genuine.domainKeys.filter(({ version }) => version === 1)) {
    await query.insertInto('domain_keys').values(domainKeys.toRow(each)).execute()
  }
  await write(genuine.seal.sealedRootKey, genuine.domainKeys)
  await until(async () => versionsOf(b)[1] === 2, b)
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

test('a rotation brings back no domain key that another node ends at that moment', async (t) => {
  const { world, a, b } = await twoNodes(t)
  await world.rotate(a)
  await until(() => isRewrapped(a), a, b)
  const { query } = world.database
  await query.deleteFrom('domain_keys').where('version', '=', 1).execute()
  await assert.rejects(world.rotate(a), { message: /were ended meanwhile: begin again/ })
  const { domainKeys: stored, seal } = (await readDeployment(world.database)) ?? assert.fail()
  assert.deepEqual([stored.map(({ version }) => version), seal.generation], [[2], 2])
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
