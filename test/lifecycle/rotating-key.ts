/**
 * One key in a real store, the operations on it, and the jobs that rotate it, with a clock that only
 * the test moves.
 * @module
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Job } from '../../src/jobs/jobs.ts'
import { createBuiltinKeyStore } from '../../src/keystores/builtin/builtin.ts'
import { createRotationJobs } from '../../src/lifecycle/rotation-jobs.ts'
import { createServiceChanges } from '../../src/lifecycle/service-changes.ts'
import { keyArn, type KeyRecord } from '../../src/model/key.ts'
import type { MaterialStateRecord } from '../../src/model/key-material.ts'
import { requireState } from '../../src/model/key-state.ts'
import { kmsRegistry } from '../../src/operations/kms/registry.ts'
import type { Store, Transaction } from '../../src/store/store.ts'
import { realRandom, testKeyring } from '../crypto/fixed.ts'
import { storeOf, type TestedEngine } from '../store/engines.ts'
import { insertAccounts, newKey } from '../store/records.ts'

export const start = Date.UTC(2026, 0, 2, 15, 4, 5)
const signal = new AbortController().signal
const keyId = '00000000-0000-4000-8000-000000000001'

export interface RotatingKey {
  readonly store: Store
  now: number
  /** Called before each step of a transaction of the jobs, and before its end, `commit`. */
  onStep: (step: string) => void
  /** Service events in the outbox. */
  events(): Promise<readonly Readonly<Record<string, unknown>>[]>
  row(): Promise<KeyRecord>
  materials(): Promise<readonly MaterialStateRecord[]>
  /** Calls an operation of the key. */
  call(name: string, input?: object): Promise<Readonly<Record<string, unknown>>>
  /** Changes the key's row directly, without an operation. */
  alter(changes: Parameters<Transaction['updateKey']>[1]): Promise<void>
  /** Runs one round of the jobs, each until nothing is left. @throws the first failure */
  look(): Promise<void>
  /** Encrypts under the key's current material. */
  seal(text: string): Promise<Uint8Array>
  /** Decrypts with the material that encrypted it. */
  open(ciphertext: Uint8Array): Promise<string>
}

export async function openRotatingKey(
  t: TestContext,
  engine: TestedEngine,
  members: Partial<KeyRecord> = {},
): Promise<RotatingKey> {
  const { store } = storeOf((await engine.open(t)).database)
  const clock = { now: () => world.now, system: () => world.now }
  const keyStore = createBuiltinKeyStore({
    keyring: testKeyring(),
    findMaterial: (id) => store.findMaterial(id),
    random: realRandom,
    clock,
  })
  t.after(() => keyStore.close())
  await insertAccounts(store)
  const ref = newKey(keyId, members)
  const material = await keyStore.createMaterial(
    { ...ref, origin: 'AWS_KMS', createdAt: start },
    signal,
  )
  await store.change(async (transaction) => {
    await transaction.insertKey({
      ...ref,
      createdAt: start,
      currentMaterialId: material.materialId,
    })
    await transaction.insertMaterial(material)
    const { accountId, region } = ref
    const place = { accountId, region, keyId, materialId: material.materialId }
    await transaction.insertMaterialState({ ...place, ordinal: 1, state: 'CURRENT' })
  })
  const jobs = createRotationJobs({
    store,
    clock,
    keyStoreOf: () => keyStore,
    changes: createServiceChanges({
      store: { change: (work) => store.change((inner) => stepping(inner, work, world)) },
      journal: { healthy: true, position: { stream: 'test', segment: 1 } },
      outbox: { settle: () => Promise.resolve() },
      regions: { known: () => true, partitionOf: () => 'aws' } as never, // only these are used
      events: { isEnabled: false },
      clock,
      random: realRandom,
    }),
  })
  const row = async (): Promise<KeyRecord> => (await store.findKey(ref)) ?? assert.fail('no key')
  const world: RotatingKey = {
    store,
    now: start,
    onStep: () => undefined,
    row,
    events: async () =>
      (await store.listOutbox(1000)).map(
        ({ record }) => JSON.parse(record) as Readonly<Record<string, unknown>>,
      ),
    materials: () => store.listMaterialStates(ref, { limit: 10_000 }),
    call: (name, input = {}) => call(name, input, world, clock),
    alter: async (changes) => {
      const key = await row()
      await store.change((transaction) => transaction.updateKey(key, changes))
    },
    look: () => look(jobs, world),
    seal: async (text) =>
      (await keyStore.encrypt(await row(), Buffer.from(text), {}, 'ciphertext', signal)).ciphertext,
    open: async (ciphertext) =>
      (await keyStore.decrypt(await row(), ciphertext, {}, signal)).plaintext.toString(),
  }
  return world
}

async function call(
  name: string,
  input: object,
  world: RotatingKey,
  clock: object,
): Promise<Readonly<Record<string, unknown>>> {
  const operation = kmsRegistry.get(`kms:${name}`) ?? assert.fail(name)
  const key = await world.row()
  const arn = (of: KeyRecord): string => keyArn('aws', of)
  requireState(arn(key), key.state, operation.keys['key']?.states ?? [])
  const running = {
    input,
    keys: { key },
    arn,
    commit: <T>(work: (transaction: Transaction) => Promise<T>) => world.store.change(work),
  }
  const pages = {
    open: (_: string, marker?: string) => marker,
    seal: (_: string, after: string) => after,
  }
  const ports = { store: world.store, clock, pages }
  return ((await operation.run(running as never, ports as never)) ?? {}) as never // what these operations use
}

async function look(jobs: readonly Job[], world: RotatingKey): Promise<void> {
  for (const job of jobs) while (await job.run(world.now, signal)) continue
}

/** A transaction that reports its steps. */
async function stepping<T>(
  inner: Transaction,
  work: (transaction: Transaction) => Promise<T>,
  world: RotatingKey,
): Promise<T> {
  const told = new Proxy(inner, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver)
      if (typeof member !== 'function') return member
      return (...given: readonly unknown[]): unknown => {
        world.onStep(String(name))
        return Reflect.apply(member, target, given)
      }
    },
  })
  const answer = await work(told)
  world.onStep('commit')
  return answer
}
