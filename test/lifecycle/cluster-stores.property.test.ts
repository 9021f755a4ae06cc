/**
 * The life of key stores in an HSM cluster and of their keys, against a model: any sequence of calls and jobs
 * leads to the states that the model has, and is refused exactly where the model refuses it.
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
import { call, createWorld, type World } from '../operations/kms/memory-dependencies.ts'
import { transactionOn } from '../operations/kms/memory-store.ts'

interface Model {
  store: ConnectionState | undefined
  readonly keys: Map<string, { readonly on: boolean; readonly dying: boolean }>
}

type Step =
  | 'create'
  | 'connect'
  | 'disconnect'
  | 'delete'
  | 'jobs'
  | 'jobs, and the HSM refuses'
  | 'create key'
  | 'enable'
  | 'disable'
  | 'schedule'
  | 'cancel'

const steps: readonly Step[] = [
  'create',
  'connect',
  'connect',
  'disconnect',
  'delete',
  'jobs',
  'jobs',
  'jobs, and the HSM refuses',
  'create key',
  'create key',
  'enable',
  'disable',
  'schedule',
  'cancel',
]

/** The state that a key shows. */
function shown({ store }: Model, key: { on: boolean; dying: boolean }): KeyState {
  if (key.dying) return 'PendingDeletion'
  if (store !== 'CONNECTED' && store !== 'DISCONNECTING') return 'Unavailable'
  return key.on ? 'Enabled' : 'Disabled'
}

async function runJobs(world: World, failure?: ConnectionErrorCode): Promise<void> {
  const { dependencies, rows } = world
  const jobs = createConnectionJobs({
    store: dependencies.store,
    random: { uuid: () => 'request' },
    externalKeyStores: { whyNotConnected: () => assert.fail('no proxy is asked') },
    keyStoreSecrets: { addressOf: () => assert.fail('no proxy is asked') },
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

/** What a call answers, and how the model changes if it succeeds. */
function expected(model: Model, step: Step): { readonly code?: string; change?: () => void } {
  const { store, keys } = model
  const id = first(model)
  const key = keys.get(id)
  const set = (more: Partial<{ on: boolean; dying: boolean }>) => (): void => {
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
  return store === 'CONNECTED' ? {} : invalid // create key
}

const operations: Readonly<Partial<Record<Step, string>>> = {
  create: 'CreateCustomKeyStore',
  connect: 'ConnectCustomKeyStore',
  disconnect: 'DisconnectCustomKeyStore',
  delete: 'DeleteCustomKeyStore',
  'create key': 'CreateKey',
  enable: 'EnableKey',
  disable: 'DisableKey',
  schedule: 'ScheduleKeyDeletion',
  cancel: 'CancelKeyDeletion',
}

async function take(world: World, model: Model, step: Step): Promise<void> {
  const CustomKeyStoreId = world.rows.keyStores[0]?.storeId ?? 'cks-0'
  const KeyId = first(model)
  const input =
    step === 'create'
      ? clusterSettings
      : step === 'create key'
        ? { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId }
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
  if (step === 'create key' && typeof answer !== 'string') {
    model.keys.set(world.rows.keys.at(-1)?.keyId ?? '', { on: true, dying: false })
  }
}

test('key stores and their keys are what the model says after any steps', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...steps), { maxLength: 40 }), async (taken) => {
      const world = createWorld()
      // The HSM's own part: a note that the commit of CreateKey takes away.
      world.beforeCommit = () => {
        const [{ storeId } = { storeId: '' }] = world.rows.keyStores
        for (let number = 0; number < 200; number += 1) {
          const keyId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
          const materialId = Buffer.from(keyId).toString('hex').slice(0, 64)
          const place = { accountId: '', region: '', storeId, keyId, materialId }
          if (world.rows.hsmObjects.some((object) => object.materialId === materialId)) continue
          world.rows.hsmObjects.push({ ...place, phase: 'making', since: 0 })
        }
      }
      const model: Model = { store: undefined, keys: new Map() }
      for (const step of taken) {
        if (step.startsWith('jobs')) {
          const failure = step === 'jobs' ? undefined : 'INVALID_CREDENTIALS'
          await runJobs(world, failure)
          if (model.store === 'CONNECTING') model.store = failure ? 'FAILED' : 'CONNECTED'
          if (model.store === 'DISCONNECTING') model.store = 'DISCONNECTED'
        } else await take(world, model, step)
        const [row] = world.rows.keyStores
        assert.equal(row?.connection, model.store, step)
        assert.equal(row?.connectionError !== undefined, model.store === 'FAILED')
      }
      await runJobs(world)
      if (model.store === 'CONNECTING') model.store = 'CONNECTED'
      if (model.store === 'DISCONNECTING') model.store = 'DISCONNECTED'
      for (const { keyId, state } of world.rows.keys) {
        const key = model.keys.get(keyId)
        assert.ok(key)
        assert.equal(state, shown(model, key))
      }
    }),
    { numRuns: 100 },
  )
})
