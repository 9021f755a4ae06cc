/** Random calls, jobs and time leave an imported key as a small model predicts. @module */
import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { KmsError } from '../../src/errors.ts'
import { createExpiryJobs } from '../../src/lifecycle/expiry-jobs.ts'
import { createRotationJobs } from '../../src/lifecycle/rotation-jobs.ts'
import { createServiceChanges } from '../../src/lifecycle/service-changes.ts'
import { keyArn, type KeyRecord } from '../../src/model/key.ts'
import { keyAt } from '../../src/model/key-material.ts'
import { requireState } from '../../src/model/key-state.ts'
import { readInput } from '../../src/model/shape.ts'
import { kmsRegistry } from '../../src/operations/kms/registry.ts'
import type { Store, Transaction } from '../../src/store/store.ts'
import { realRandom } from '../crypto/fixed.ts'
import { importMethods, memoryMaterialId } from '../operations/kms/memory-imports.ts'
import { engines, storeOf, type TestedEngine } from '../store/engines.ts'
import { insertAccounts, newKey } from '../store/records.ts'
import {
  complete,
  dayMs,
  deleting,
  importing,
  jobs,
  needed,
  rotating,
  settle,
  switching,
  type ImportStep,
  type Model,
  type Outcome,
} from './imported-key-model.ts'

const start = Date.UTC(2026, 0, 2, 15, 4, 5)
const keyId = '00000000-0000-4000-8000-000000000001'
const signal = new AbortController().signal
const ref = newKey(keyId)
const bytesOf = (digit: number): Buffer => Buffer.alloc(32, digit)
const idOf = (digit: number): string => memoryMaterialId({ keyId }, bytesOf(digit))

type Step =
  | ({ readonly import: number } & ImportStep)
  | { readonly delete: number }
  | { readonly call: 'EnableKey' | 'DisableKey' | 'Rotate' | 'Schedule' | 'Cancel' }
  | { readonly advance: number }
  | { readonly look: true }

const digit = fc.constantFrom(1, 1, 1, 2, 2, 3, 4)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      import: digit,
      type: fc.constantFrom(undefined, undefined, 'NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL'),
      days: fc.constantFrom(undefined, undefined, undefined, 1, 30, 365),
    }),
  },
  { weight: 1, arbitrary: fc.record({ delete: digit }) },
  {
    weight: 3,
    arbitrary: fc.record({
      call: fc.constantFrom(
        'EnableKey',
        'DisableKey',
        'DisableKey',
        'Rotate',
        'Rotate',
        'Rotate',
        'Cancel',
        'Cancel',
        'Schedule',
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ advance: fc.constantFrom(1, 250, dayMs, 31 * dayMs) }) },
  { weight: 3, arbitrary: fc.record({ look: fc.constant(true as const) }) },
)

interface World {
  now: number
  readonly row: () => Promise<KeyRecord>
  readonly store: Store
  readonly perform: (name: string, input: object) => Promise<unknown>
  readonly look: () => Promise<void>
}

async function open(t: TestContext, engine: TestedEngine): Promise<World> {
  const { store } = storeOf((await engine.open(t)).database)
  await insertAccounts(store)
  await store.change((transaction) =>
    transaction.insertKey({
      ...ref,
      origin: 'EXTERNAL',
      state: 'PendingImport',
      createdAt: start,
      currentMaterialId: undefined as never, // an imported key begins without one
    }),
  )
  const clock = { now: () => world.now, system: () => world.now }
  const changes = createServiceChanges({
    store,
    journal: { healthy: true, position: { stream: 'test', segment: 1 } },
    outbox: { settle: () => Promise.resolve() },
    regions: { known: () => true, partitionOf: () => 'aws' } as never, // only these are used
    events: { isEnabled: false },
    clock,
    random: realRandom,
  })
  const none = () => assert.fail('imported material is not made')
  const all = [
    ...createExpiryJobs({ store, changes }),
    ...createRotationJobs({ store, clock, changes, keyStoreOf: none }),
  ]
  const keyStore = importMethods(() => world.now)
  const row = async (): Promise<KeyRecord> => (await store.findKey(ref)) ?? assert.fail('no key')
  const world: World = {
    now: start,
    row,
    store,
    async perform(name, given) {
      const operation = kmsRegistry.get(`kms:${name}`) ?? assert.fail(name)
      const { input, failures } = readInput(operation.input, { KeyId: keyId, ...given })
      assert.deepEqual(failures, [])
      operation.check?.(input)
      const key = keyAt(await row(), world.now)
      const arn = (of: KeyRecord): string => keyArn('aws', of)
      requireState(arn(key), key.state, operation.keys['key']?.states ?? [])
      const commit = <T>(work: (transaction: Transaction) => Promise<T>) => store.change(work)
      const keyStoreOf = () => keyStore
      const call = { input, keys: { key }, arn, commit, signal, keyStoreOf }
      return operation.run(call as never, { store, clock } as never)
    },
    async look() {
      for (const job of all) while (await job.run(world.now, signal)) continue
    },
  }
  return world
}

function inputOf(world: World, one: { readonly import: number } & ImportStep): object {
  const token = Buffer.from(JSON.stringify({ keyId, validTo: world.now + 1 }))
  return {
    ImportToken: token.toString('base64'),
    EncryptedKeyMaterial: bytesOf(one.import).toString('base64'),
    ...(one.days === undefined
      ? { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
      : { ValidTo: Math.floor(world.now / 1000) + one.days * 86_400 }),
    ...(one.type && { ImportType: one.type }),
  }
}

const operations = {
  EnableKey: ['EnableKey', (model: Model) => switching(model, 'Enabled')],
  DisableKey: ['DisableKey', (model: Model) => switching(model, 'Disabled')],
  Rotate: ['RotateKeyOnDemand', rotating],
  Schedule: [
    'ScheduleKeyDeletion',
    (model: Model): Outcome => {
      if (model.state === 'PendingDeletion') return 'KMSInvalidStateException'
      model.state = 'PendingDeletion'
      return undefined
    },
  ],
  Cancel: [
    'CancelKeyDeletion',
    (model: Model): Outcome => {
      if (model.state !== 'PendingDeletion') return 'KMSInvalidStateException'
      model.state = complete(model) ? 'Disabled' : 'PendingImport'
      return undefined
    },
  ],
} as const

async function compare(world: World, model: Model): Promise<void> {
  const key = keyAt(await world.row(), world.now)
  assert.equal(key.state, model.state)
  const current = model.materials.find(({ role }) => role === 'CURRENT')
  assert.equal(key.currentMaterialId, current && idOf(current.digit))
  const dates = needed(model).flatMap(({ validTo }) => validTo ?? [])
  const [expires, at] = complete(model) ? [dates.length > 0, Math.min(...dates)] : []
  assert.equal(
    key.materialExpirationModel,
    expires === undefined ? undefined : `KEY_MATERIAL_${expires ? 'EXPIRES' : 'DOES_NOT_EXPIRE'}`,
  )
  assert.equal(key.materialExpiresAt, expires ? at : undefined)
  const states = await world.store.listMaterialStates(ref, { limit: 100 })
  assert.deepEqual(
    states.map(({ materialId, state, importState, validTo }) => [
      materialId,
      state,
      importState === 'IMPORTED',
      validTo,
    ]),
    model.materials.map(({ digit: of, role, imported, validTo }) => [
      idOf(of),
      role,
      imported,
      validTo,
    ]),
  )
  for (const each of [1, 2, 3, 4]) {
    const material = model.materials.find((one) => one.digit === each)
    const bytes = (await world.store.findMaterial(idOf(each)))?.wrapped.length
    assert.equal(bytes, material && (material.imported ? 32 : 0))
  }
}

// Each run has a database of its own: too many for one server's connections.
for (const engine of engines.filter(({ name }) => name === 'sqlite')) {
  test(`${engine.name}: any calls, jobs and time leave an imported key as the model says`, async (t) => {
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 60, size: 'max' }),
      async (steps) => {
        const world = await open(t, engine)
        const model: Model = {
          now: start,
          state: 'PendingImport',
          materials: [],
          startedAt: undefined,
          rotations: 0,
          expired: 0,
        }
        for (const one of steps) {
          const perform = async (name: string, input: object, expected: Outcome): Promise<void> => {
            const outcome = await world.perform(name, input).then(
              () => undefined,
              (error: unknown) =>
                error instanceof KmsError ? error.code : assert.fail(String(error)),
            )
            assert.equal(outcome, expected, JSON.stringify(one))
          }
          if ('import' in one) {
            const input = inputOf(world, one)
            await perform('ImportKeyMaterial', input, importing(model, one.import, one))
          } else if ('delete' in one) {
            const input = { KeyMaterialId: idOf(one.delete) }
            await perform('DeleteImportedKeyMaterial', input, deleting(model, one.delete))
          } else if ('call' in one) {
            const [name, act] = operations[one.call]
            await perform(name, {}, act(model))
          } else if ('advance' in one) {
            // Expiry dates are whole seconds: time advances to them, or by parts of a second that
            // expire nothing.
            world.now = model.now +=
              one.advance === dayMs ? dayMs : Math.ceil(one.advance / 1000) * 1000
            settle(model)
          } else {
            await world.look()
            jobs(model)
          }
          await compare(world, model)
        }
        const events = (await world.store.listOutbox(1000)).map(
          ({ record }) => (JSON.parse(record) as { readonly eventName: string }).eventName,
        )
        assert.equal(events.filter((name) => name === 'RotateKey').length, model.rotations)
        const expired = events.filter((name) => name === 'DeleteExpiredKeyMaterial').length
        assert.equal(expired, model.expired)
      },
    )
    await fc.assert(property, { numRuns: 40 })
  })
}
