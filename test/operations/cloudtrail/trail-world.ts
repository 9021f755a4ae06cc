/** Runs trail operations on the real store, for tests. @module */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { KmsError } from '../../../src/errors.ts'
import { readInput } from '../../../src/model/shape.ts'
import type { TrailDependencies } from '../../../src/model/trail.ts'
import { cloudtrailRegistry } from '../../../src/operations/cloudtrail/registry.ts'
import { engines, storeOf } from '../../store/engines.ts'
import { accountId, insertAccounts, insertKeys, newKey, region } from '../../store/records.ts'
import type { Call } from '../../../src/operations/contract/call.ts'
import type { OperationDependencies } from '../../../src/operations/contract/dependencies.ts'

export const now = Date.UTC(2030, 0, 1)
export type Answer = Readonly<Record<string, unknown>>
type Run = (
  name: string,
  input?: object,
  at?: { region?: string; account?: string },
) => Promise<Answer>

export async function world(t: TestContext, more: Partial<TrailDependencies> = {}): Promise<Run> {
  const [engine] = engines
  assert(engine)
  const { store } = storeOf((await engine.open(t)).database)
  await insertAccounts(store)
  await insertKeys(store, newKey('1234'))
  const trails: TrailDependencies = {
    operatorTrail: () => undefined,
    acceptsBucket: (bucket, account) => bucket.startsWith('archive') && account === accountId,
    encrypts: true,
    statusOf: () => Promise.resolve({ latestDeliveryAt: now, latestDeliveryAttemptAt: now }),
    digestPublicKeys: () => Promise.resolve([]),
    ...more,
  }
  const dependencies = {
    store,
    trails,
    clock: { now: () => now, system: () => now },
    pages: {
      open(_list: string, marker: string | undefined) {
        if (marker !== undefined) throw new KmsError('InvalidMarkerException')
      },
    },
  } as unknown as OperationDependencies // all that trail operations use
  return async (name, given = {}, { region: at = region, account = accountId } = {}) => {
    const operation = cloudtrailRegistry.get(`cloudtrail:${name}`)
    assert(operation)
    const { input, failures } = readInput(operation.input, given)
    assert.deepEqual(failures, [])
    operation.check?.(input)
    const call = {
      input,
      caller: { accountId: account },
      partition: 'aws',
      region: at,
      commit: store.change.bind(store),
    } as unknown as Call<never, never>
    return (await operation.run(call, dependencies)) as Answer
  }
}

export const refused = (call: Promise<unknown>, code: string, message?: string): Promise<void> =>
  assert.rejects(call, (error: unknown) => {
    assert(error instanceof KmsError)
    assert.equal(error.code, code, error.message)
    if (message !== undefined) assert.equal(error.message, message)
    return true
  })

export const made = { Name: 'trail-1', S3BucketName: 'archive' }
export const arn = `arn:aws:cloudtrail:${region}:${accountId}:trail/trail-1`
