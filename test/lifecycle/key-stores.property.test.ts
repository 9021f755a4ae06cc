/**
 * The life of custom key stores and of their keys, against a model: any sequence of calls and jobs leads to the
 * states that the model has, and is refused exactly where the model refuses it.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { KmsError } from '../../src/errors.ts'
import { createConnectionJobs } from '../../src/lifecycle/connection-jobs.ts'
import type { ConnectionErrorCode, ConnectionState } from '../../src/model/custom-key-store.ts'
import type { KeyState } from '../../src/model/key.ts'
import { clusterSettings } from '../operations/kms/cluster-stores.ts'
import { externalSettings } from '../operations/kms/external-stores.ts'
import { call, createWorld, type World } from '../operations/kms/memory-dependencies.ts'
import { transactionOn } from '../operations/kms/memory-store.ts'

type Kind = 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE'

interface ModelKey {
  readonly on: boolean
  readonly dying: boolean
  /** In an external key store. */
  readonly xksKeyId?: string
}

interface Model {
  readonly kind: Kind
  store: ConnectionState | undefined
  readonly keys: Map<string, ModelKey>
}

type Step =
  | 'create'
  | 'connect'
  | 'disconnect'
  | 'delete'
  | 'jobs'
  | 'jobs, and a connection fails'
  | 'create key'
  | 'create key with the first external key'
  | 'enable'
  | 'disable'
  | 'schedule'
  | 'cancel'
  | 'remove'

const steps: readonly Step[] = [
  'create',
  'connect',
  'connect',
  'connect',
  'disconnect',
  'delete',
  'jobs',
  'jobs',
  'jobs',
  'jobs, and a connection fails',
  'create key',
  'create key',
  'create key',
  'create key',
  'create key with the first external key',
  'enable',
  'disable',
  'schedule',
  'cancel',
  'remove',
]

/** The state that a key shows. */
function shown({ store }: Model, key: ModelKey): KeyState {
  if (key.dying) return 'PendingDeletion'
  if (store !== 'CONNECTED' && store !== 'DISCONNECTING') return 'Unavailable'
  return key.on ? 'Enabled' : 'Disabled'
}

async function runJobs(world: World, failure?: ConnectionErrorCode): Promise<void> {
  const { dependencies, rows } = world
  const jobs = createConnectionJobs({
    store: dependencies.store,
    random: { uuid: () => 'request' },
    externalKeyStores: { whyNotConnected: async () => failure },
    keyStoreSecrets: dependencies.keyStoreSecrets,
    hsmKeyStores: {
      connect: async ({ wrappedSecret, wrappingVersion }) =>
        failure ?? { wrappedSecret, wrappingVersion },
    },
    changes: {
      commit: async (work) => {
        const copy = structuredClone(rows)
        await work(transactionOn(copy))
        Object.assign(rows, copy)
      },
    },
  })
  for (const job of jobs) await job.run(0, new AbortController().signal)
}

/** Names the first key, if there is one. */
const first = ({ keys }: Model): string => [...keys.keys()][0] ?? 'none'

/** The external key that a new KMS key wants. */
const wantedXksKeyId = ({ keys }: Model, step: Step): string =>
  step === 'create key' ? `key-${keys.size}` : 'key-0'

/** What a call answers, and how the model changes if it succeeds. */
function expected(model: Model, step: Step): { readonly code?: string; change?: () => void } {
  const { store, keys } = model
  const id = first(model)
  const key = keys.get(id)
  const set = (more: Partial<ModelKey>) => (): void => {
    if (key) keys.set(id, { ...key, ...more })
  }
  const invalid = { code: 'CustomKeyStoreInvalidStateException' }
  if (step === 'create') {
    return store === undefined
      ? { change: () => void (model.store = 'DISCONNECTED') }
      : { code: 'CustomKeyStoreNameInUseException' }
  }
  if (step === 'enable' || step === 'disable' || step === 'schedule' || step === 'cancel') {
    if (key === undefined) return { code: 'NotFoundException' }
    if (key.dying !== (step === 'cancel')) return { code: 'KMSInvalidStateException' }
    if (step === 'schedule') return { change: set({ dying: true }) }
    if (step === 'cancel') return { change: set({ dying: false, on: false }) }
    return { change: set({ on: step === 'enable' }) }
  }
  if (store === undefined) return { code: 'CustomKeyStoreNotFoundException' }
  if (step === 'connect') {
    if (store === 'DISCONNECTING' || store === 'FAILED') return invalid
    return { change: () => void (model.store = store === 'DISCONNECTED' ? 'CONNECTING' : store) }
  }
  if (step === 'disconnect') {
    if (store === 'DISCONNECTING' || store === 'DISCONNECTED') return invalid
    return { change: () => void (model.store = 'DISCONNECTING') }
  }
  if (step === 'delete') {
    if (keys.size > 0) return { code: 'CustomKeyStoreHasCMKsException' }
    return store === 'DISCONNECTED' ? { change: () => void (model.store = undefined) } : invalid
  }
  const wanted = wantedXksKeyId(model, step)
  const isTaken = [...keys.values()].some(({ xksKeyId }) => xksKeyId === wanted)
  if (model.kind === 'EXTERNAL_KEY_STORE' && isTaken) return { code: 'XksKeyAlreadyInUseException' }
  return store === 'CONNECTED' ? {} : invalid
}

const operations: Readonly<Partial<Record<Step, string>>> = {
  create: 'CreateCustomKeyStore',
  connect: 'ConnectCustomKeyStore',
  disconnect: 'DisconnectCustomKeyStore',
  delete: 'DeleteCustomKeyStore',
  'create key': 'CreateKey',
  'create key with the first external key': 'CreateKey',
  enable: 'EnableKey',
  disable: 'DisableKey',
  schedule: 'ScheduleKeyDeletion',
  cancel: 'CancelKeyDeletion',
}

async function take(world: World, model: Model, step: Step): Promise<void> {
  const CustomKeyStoreId = world.rows.keyStores[0]?.storeId ?? 'cks-0'
  const KeyId = first(model)
  const { kind } = model
  const xks = kind === 'EXTERNAL_KEY_STORE' ? { XksKeyId: wantedXksKeyId(model, step) } : {}
  const input =
    step === 'create'
      ? kind === 'AWS_CLOUDHSM'
        ? clusterSettings
        : externalSettings
      : step.startsWith('create key')
        ? { Origin: kind, CustomKeyStoreId, ...xks }
        : ['connect', 'disconnect', 'delete'].includes(step)
          ? { CustomKeyStoreId }
          : { KeyId }
  const { code, change } = expected(model, step)
  const answer = await call(world, operations[step] ?? '', input).then(
    (output) => output,
    (error: unknown) => {
      if (!(error instanceof KmsError)) throw error
      return error.code
    },
  )
  assert.equal(typeof answer === 'string' ? answer : undefined, code, step)
  change?.()
  if (step.startsWith('create key') && typeof answer !== 'string') {
    const xksKeyId = xks.XksKeyId === undefined ? {} : { xksKeyId: xks.XksKeyId }
    model.keys.set(world.rows.keys.at(-1)?.keyId ?? '', { on: true, dying: false, ...xksKeyId })
  }
}

/** Ends the first key, if its time has come, as the job of deletions does. */
function remove({ rows }: World, model: Model): void {
  const id = first(model)
  if (model.keys.get(id)?.dying !== true) return
  model.keys.delete(id)
  rows.keys = rows.keys.filter(({ keyId }) => keyId !== id)
}

/** The HSM's own part in a new key: a note that the commit of CreateKey takes away. */
function noteObjects({ rows }: World): void {
  const [{ storeId } = { storeId: '' }] = rows.keyStores
  for (let number = 0; number < 100; number += 1) {
    const keyId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
    const materialId = Buffer.from(keyId).toString('hex').slice(-64)
    const place = { accountId: '', region: '', storeId, keyId, materialId }
    const known = [...rows.hsmObjects, ...rows.materials]
    if (known.some((each) => each.materialId === materialId)) continue
    rows.hsmObjects.push({ ...place, phase: 'making', since: 0 })
  }
}

/** Returns the number of keys that were made. */
async function live(kind: Kind, taken: readonly Step[]): Promise<number> {
  const world = createWorld()
  if (kind === 'AWS_CLOUDHSM') world.beforeCommit = () => noteObjects(world)
  const model: Model = { kind, store: undefined, keys: new Map() }
  const jobs = async (failure?: ConnectionErrorCode): Promise<void> => {
    await runJobs(world, failure)
    if (model.store === 'CONNECTING') model.store = failure ? 'FAILED' : 'CONNECTED'
    if (model.store === 'DISCONNECTING') model.store = 'DISCONNECTED'
  }
  for (const step of taken) {
    if (step === 'jobs') await jobs()
    else if (step === 'jobs, and a connection fails') await jobs('INVALID_CREDENTIALS')
    else if (step === 'remove') remove(world, model)
    else await take(world, model, step)
    const [row] = world.rows.keyStores
    assert.equal(row?.connection, model.store, step)
    assert.equal(row?.connectionError !== undefined, model.store === 'FAILED')
  }
  await jobs()
  assert.equal(world.rows.keys.length, model.keys.size)
  for (const { keyId, state, xksKeyId } of world.rows.keys) {
    const key = model.keys.get(keyId)
    assert.ok(key)
    assert.equal(state, shown(model, key))
    assert.equal(xksKeyId, key.xksKeyId)
  }
  return world.rows.materials.length
}

// Few random lists connect a store, so half of them begin with a connected one.
const connected: readonly Step[] = ['create', 'connect', 'jobs']
const lives = fc
  .tuple(
    fc.constantFrom<readonly Step[]>([], connected),
    fc.array(fc.constantFrom(...steps), { maxLength: 40, size: 'max' }),
  )
  .map((parts) => parts.flat())

for (const kind of ['AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] as const) {
  test(`key stores of ${kind} and their keys are what the model says after any steps`, async () => {
    let keys = 0
    await fc.assert(
      fc.asyncProperty(lives, async (taken) => {
        keys += await live(kind, taken)
      }),
      { numRuns: 300 },
    )
    assert.ok(keys > 200, `${keys} keys`)
  })
}
