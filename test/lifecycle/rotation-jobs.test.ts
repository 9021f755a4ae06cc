/**
 * The effect of the jobs on a key with a rotation that is due or was started, and after a crash.
 * @module
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { KeyRecord } from '../../src/model/key.ts'
import { engines } from '../store/engines.ts'
import { newMaterialState } from '../store/records.ts'
import { openRotatingKey, start, type RotatingKey } from './rotating-key.ts'

const dayMs = 86_400_000
const id = (digit: string): string => digit.repeat(64)

const rotationsOf = async (world: RotatingKey): Promise<readonly unknown[]> =>
  (await world.materials()).map(({ ordinal, state, rotationType, rotatedAt }) => [
    ordinal,
    state,
    rotationType,
    rotatedAt,
  ])

/** Imported material: the current one, and one that waits. */
async function insertImported(world: RotatingKey, members: object = {}): Promise<void> {
  const { keyId, currentMaterialId = '' } = await world.row()
  await world.store.change(async (transaction) => {
    const imported = { importState: 'IMPORTED', expirationModel: 'KEY_MATERIAL_EXPIRES' } as const
    const current = await transaction.findMaterialState(newMaterialState(currentMaterialId, keyId))
    assert.ok(current !== undefined)
    await transaction.updateMaterialState(current, { ...imported, validTo: 9 })
    await transaction.insertMaterialState(
      newMaterialState(id('e'), keyId, {
        ...imported,
        validTo: 8,
        ordinal: 2,
        state: 'PENDING_ROTATION',
        ...members,
      }),
    )
  })
}

for (const engine of engines) {
  const open = (t: TestContext, members: Partial<KeyRecord> = {}): Promise<RotatingKey> =>
    openRotatingKey(t, engine, members)
  const { name } = engine

  test(`${name}: a started rotation is in progress for a moment, and then done`, async (t) => {
    const world = await open(t)
    const before = await world.row()
    const sealed = await world.seal('before')
    await world.call('RotateKeyOnDemand')
    for (const later of [0, 249]) {
      world.now = start + later
      await world.look()
      assert.equal((await world.row()).onDemandRotationStartedAt, start)
    }
    world.now = start + 250
    await world.look()
    const after = await world.row()
    assert(!Object.hasOwn(after, 'onDemandRotationStartedAt'))
    assert.notEqual(after.currentMaterialId, before.currentMaterialId)
    assert.deepEqual(await rotationsOf(world), [
      [1, 'NON_CURRENT', undefined, undefined],
      [2, 'CURRENT', 'ON_DEMAND', start + 250],
    ])
    assert.equal(await world.open(sealed), 'before')
    const [{ eventName, serviceEventDetails } = {}, ...more] = await world.events()
    assert.deepEqual(more, [])
    assert.equal(eventName, 'RotateKey')
    assert.deepEqual(serviceEventDetails, {
      rotationType: 'ON_DEMAND',
      keyOrigin: 'AWS_KMS',
      previousKeyMaterialId: before.currentMaterialId,
      currentKeyMaterialId: after.currentMaterialId,
      keyId: before.keyId,
    })
  })

  test(`${name}: a rotation that began in the future of a clock that was set back ends`, async (t) => {
    const world = await open(t)
    await world.call('RotateKeyOnDemand')
    world.now = start - dayMs
    await world.look()
    assert.equal((await world.row()).onDemandRotationStartedAt, undefined)
    assert.equal((await world.materials()).length, 2)
  })

  for (const state of ['Disabled', 'PendingDeletion', 'Updating'] as const) {
    test(`${name}: a key in ${state} finishes a started rotation, and postpones a due one`, async (t) => {
      const world = await open(t)
      await world.call('EnableKeyRotation', { RotationPeriodInDays: 90 })
      await world.call('RotateKeyOnDemand')
      await world.alter({ state })
      world.now += 200 * dayMs
      await world.look()
      assert.deepEqual(
        (await world.materials()).map(({ rotationType }) => rotationType),
        [undefined, 'ON_DEMAND'],
      )
      const { state: left, nextRotationAt } = await world.row()
      assert.deepEqual([left, nextRotationAt], [state, start + 90 * dayMs])
    })
  }

  test(`${name}: a hundred due rotations are done once each, whatever fails`, async (t) => {
    const world = await open(t)
    const key = await world.row()
    const due = { rotationPeriodDays: 90, nextRotationAt: start + 90 * dayMs }
    const keyIds = Array.from({ length: 60 }, (_, index) => `key-${String(index).padStart(3, '0')}`)
    const broken = keyIds.slice(0, 30)
    await world.store.change(async (transaction) => {
      for (const keyId of keyIds) {
        await transaction.insertKey({ ...key, ...due, keyId, currentMaterialId: id('f') })
        // The state of its material is no longer known.
        const other = newMaterialState(id('d'), keyId, { ordinal: 7 })
        const own = newMaterialState(id('f'), keyId)
        await transaction.insertMaterialState(broken.includes(keyId) ? other : own)
      }
    })
    world.now = start + 9000 * dayMs
    let failures = 0
    for (let looks = 0; looks < 5; looks += 1) {
      await world.look().catch((error: unknown) => {
        assert(error instanceof AggregateError && error.errors.length <= 3)
        failures += Number.parseInt(error.message, 10)
      })
    }
    assert(failures >= broken.length)
    for (const keyId of keyIds) {
      const { nextRotationAt } = (await world.store.findKey({ ...key, keyId })) ?? assert.fail()
      const rotated = nextRotationAt === world.now + 90 * dayMs
      assert.equal(rotated, !broken.includes(keyId), keyId)
    }
    assert.equal((await world.events()).length, keyIds.length - broken.length)
  })

  test(`${name}: two rounds at once rotate a key once`, async (t) => {
    const world = await open(t)
    await world.call('EnableKeyRotation', { RotationPeriodInDays: 90 })
    world.now += 90 * dayMs
    await Promise.all([world.look(), world.look(), world.look()])
    assert.equal((await world.materials()).length, 2)
    assert.equal((await world.events()).length, 1)
    const { accountId, keyId } = await world.row()
    assert.equal((await world.store.listMaterials(accountId, keyId)).length, 2)
  })

  test(`${name}: a key that AWS manages is rotated every year`, async (t) => {
    const yearly = { rotationPeriodDays: 365, nextRotationAt: start }
    const world = await open(t, { manager: 'AWS', ...yearly })
    await world.look()
    assert.equal((await world.materials()).length, 2)
    assert.equal((await world.row()).nextRotationAt, start + 365 * dayMs)
  })

  for (const [what, members] of [
    ['a replica', { primaryRegion: 'eu-north-1' }],
    ['of HMAC', { spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC' }],
    ['imported', { origin: 'EXTERNAL' }],
  ] as const) {
    test(`${name}: a key that is ${what} is not rotated by itself, whatever its row says`, async (t) => {
      const world = await open(t, { ...members, rotationPeriodDays: 90, nextRotationAt: start })
      const before = await world.row()
      await world.look()
      assert.deepEqual(await world.row(), before)
    })
  }

  test(`${name}: an imported key rotates to the waiting material, and takes its dates`, async (t) => {
    const world = await open(t, { origin: 'EXTERNAL' })
    await insertImported(world)
    await world.call('RotateKeyOnDemand')
    world.now += 1000
    await world.look()
    const key = await world.row()
    assert.deepEqual(
      [key.currentMaterialId, key.state, key.materialExpirationModel, key.materialExpiresAt],
      [id('e'), 'Enabled', 'KEY_MATERIAL_EXPIRES', 8],
    )
    assert.deepEqual(await rotationsOf(world), [
      [1, 'NON_CURRENT', undefined, undefined],
      [2, 'CURRENT', 'ON_DEMAND', start + 1000],
    ])
    assert.equal((await world.events()).length, 1)
  })

  for (const [state, becomes] of [
    ['Enabled', 'PendingImport'],
    ['Disabled', 'PendingImport'],
    ['PendingDeletion', 'PendingDeletion'],
  ] as const) {
    test(`${name}: material that has expired meanwhile makes a key in ${state} ${becomes}`, async (t) => {
      const world = await open(t, { origin: 'EXTERNAL' })
      await insertImported(world, { importState: 'PENDING_IMPORT', validTo: undefined })
      await world.call('RotateKeyOnDemand')
      await world.alter({ state })
      world.now += 1000
      await world.look()
      const key = await world.row()
      assert.deepEqual([key.currentMaterialId, key.state], [id('e'), becomes])
      assert.equal(key.materialExpirationModel, undefined)
    })
  }

  test(`${name}: a rotation whose material was taken away meanwhile ends without one`, async (t) => {
    const world = await open(t, { origin: 'EXTERNAL' })
    await insertImported(world)
    await world.call('RotateKeyOnDemand')
    const [, waiting] = await world.materials()
    await world.store.change((transaction) =>
      transaction.deleteMaterialState(waiting ?? assert.fail()),
    )
    const { currentMaterialId } = await world.row()
    world.now += 1000
    await world.look()
    const key = await world.row()
    assert.equal(key.currentMaterialId, currentMaterialId)
    assert.equal(key.onDemandRotationStartedAt, undefined)
    assert.deepEqual(await world.events(), [])
  })

  for (const kind of ['automatic', 'on demand', 'imported'] as const) {
    test(`${name}: a crash in any step of a rotation ${kind} leaves the key unchanged, and the next round rotates it`, async (t) => {
      const world = await open(t, kind === 'imported' ? { origin: 'EXTERNAL' } : {})
      if (kind === 'imported') await insertImported(world)
      if (kind === 'automatic') await world.call('EnableKeyRotation')
      else await world.call('RotateKeyOnDemand')
      const sealed = kind === 'imported' ? undefined : await world.seal('before')
      world.now += 365 * dayMs
      const before = [await world.row(), await world.materials()]
      const epoch = world.store.epoch()
      const steps: string[] = []
      for (let deadly = 0; steps.at(-1) !== 'commit'; deadly += 1) {
        steps.length = 0
        world.onStep = (step) => {
          steps.push(step)
          if (steps.length > deadly) throw new Error(`dies before ${step}`)
        }
        await assert.rejects(world.look(), AggregateError)
        assert.deepEqual([await world.row(), await world.materials()], before, steps.join())
        assert.deepEqual([world.store.epoch(), await world.events()], [epoch, []])
      }
      assert(steps.includes('updateKey') && steps.includes('insertOutbox'))
      world.onStep = () => undefined
      await world.look()
      await world.look()
      assert.equal((await world.materials()).length, 2)
      assert.equal((await world.events()).length, 1)
      if (sealed !== undefined) assert.equal(await world.open(sealed), 'before')
    })
  }
}
