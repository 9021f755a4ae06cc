/**
 * A multi-Region key in a real store, the operations on it in each of its Regions, and all the jobs,
 * with a clock that only the test moves.
 * @module
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Job } from '../../src/jobs/jobs.ts'
import { createBuiltinKeyStore } from '../../src/keystores/builtin/builtin.ts'
import { createDeletionJobs } from '../../src/lifecycle/deletion-jobs.ts'
import { createRotationJobs } from '../../src/lifecycle/rotation-jobs.ts'
import { createServiceChanges } from '../../src/lifecycle/service-changes.ts'
import { createTransitionJobs } from '../../src/lifecycle/transition-jobs.ts'
import { keyArn, type KeyRecord } from '../../src/model/key.ts'
import { requireState } from '../../src/model/key-state.ts'
import { createRegionTable } from '../../src/model/region.ts'
import { kmsRegistry } from '../../src/operations/kms/registry.ts'
import type { Database } from '../../src/store/database.ts'
import type { Store, Transaction } from '../../src/store/store.ts'
import { createQuotas } from '../../src/throttle/profiles.ts'
import { realRandom, testKeyring } from '../crypto/fixed.ts'
import { storeOf, type TestedEngine } from '../store/engines.ts'
import { accountId, insertAccounts } from '../store/records.ts'

export const regions = ['eu-north-1', 'us-east-1', 'us-west-2'] as const
export type KeyRegion = (typeof regions)[number]
/** The Region in which the key is created. */
export const firstRegion: KeyRegion = 'us-west-2'
export const start = Date.UTC(2026, 0, 2, 15, 4, 5)
const signal = new AbortController().signal

export interface SeveralRegions {
  readonly database: Database
  readonly store: Store
  readonly keyId: string
  now: number
  /** Calls an operation on the key of a Region, if the key's state permits it. */
  call(name: string, region: KeyRegion, input?: object): Promise<Readonly<Record<string, unknown>>>
  /** The key in a Region; undefined if it does not exist there. */
  row(region: KeyRegion): Promise<KeyRecord | undefined>
  /** Runs one round of the jobs, each until nothing is left. @throws the first failure */
  look(): Promise<void>
  /** Encrypts under the current material of a key. */
  seal(key: KeyRecord, text: string): Promise<Uint8Array>
  /** Decrypts with the key's material that encrypted it. */
  open(key: KeyRecord, ciphertext: Uint8Array): Promise<string>
  /** Names and Regions of the service events in the outbox, in order. */
  events(): Promise<readonly string[]>
}

export async function openSeveralRegions(
  t: TestContext,
  engine: TestedEngine,
): Promise<SeveralRegions> {
  const { database } = await engine.open(t)
  const { store } = storeOf(database)
  const clock = { now: () => world.now, system: () => world.now }
  const keyStore = createBuiltinKeyStore({
    keyring: testKeyring(),
    findMaterial: (id) => store.findMaterial(id),
    random: realRandom,
    clock,
  })
  t.after(() => keyStore.close())
  await insertAccounts(store)
  const changes = createServiceChanges({
    store,
    journal: { healthy: true, position: { stream: 'test', segment: 1 } },
    outbox: { settle: () => Promise.resolve() },
    regions: createRegionTable(),
    events: { isEnabled: false },
    clock,
    random: realRandom,
  })
  const jobs: readonly Job[] = [
    ...createTransitionJobs({ store, changes }),
    ...createDeletionJobs({ store, changes, hsmKeyStores: { destroy: async () => false } }),
    ...createRotationJobs({ store, changes, clock, keyStoreOf: () => keyStore }),
  ]
  const ports = {
    store,
    clock,
    random: realRandom,
    regions: createRegionTable(),
    policies: { defaultFor: () => '{}', check: () => Promise.resolve({}) },
    quotas: createQuotas('unlimited'),
  }
  let keyId = ''
  const row = (region: KeyRegion): Promise<KeyRecord | undefined> =>
    store.findKey({ accountId, region, keyId })
  const run = (
    name: string,
    region: KeyRegion,
    input: object,
    keys: object,
  ): Promise<Readonly<Record<string, unknown>>> => {
    const operation = kmsRegistry.get(`kms:${name}`) ?? assert.fail(name)
    const running = { ...runningIn(region, store), keyStoreOf: () => keyStore, input, keys }
    return operation.run(running as never, ports as never) as never // what these operations use
  }
  const world: SeveralRegions = {
    database,
    store,
    get keyId() {
      return keyId
    },
    now: start,
    row,
    async call(name, region, input = {}) {
      const operation = kmsRegistry.get(`kms:${name}`) ?? assert.fail(name)
      const keys: Record<string, KeyRecord> = {}
      for (const [use, { region: member, states }] of Object.entries(operation.keys)) {
        const place = member === undefined ? region : (input as Record<string, KeyRegion>)[member]
        if (place === undefined || (member !== undefined && place === region)) continue
        const key = await row(place)
        if (key === undefined) continue
        requireState(keyArn('aws', key), key.state, states)
        keys[use] = key
      }
      return (await run(name, region, input, keys)) ?? {}
    },
    async look() {
      for (const job of jobs) while (await job.run(world.now, signal)) continue
    },
    seal: async (key, text) =>
      (await keyStore.encrypt(key, Buffer.from(text), {}, 'ciphertext', signal)).ciphertext,
    open: async (key, ciphertext) =>
      (await keyStore.decrypt(key, ciphertext, {}, signal)).plaintext.toString(),
    events: async () =>
      (await store.listOutbox(10_000)).map(({ record }) => {
        const { eventName, awsRegion } = JSON.parse(record) as Record<string, string>
        return `${eventName} ${awsRegion}`
      }),
  }
  const made = await run('CreateKey', firstRegion, { MultiRegion: true }, {})
  keyId = String((made['KeyMetadata'] as Readonly<Record<string, unknown>>)['KeyId'])
  return world
}

/** A call of the account, as an operation sees it. */
function runningIn(region: KeyRegion, store: Store): object {
  return {
    caller: { accountId },
    partition: 'aws',
    region,
    arn: (key: KeyRecord) => keyArn('aws', key),
    made: () => undefined,
    alsoRecords: () => undefined,
    signal,
    commit: <T>(work: (transaction: Transaction) => Promise<T>) => store.change(work),
  }
}
