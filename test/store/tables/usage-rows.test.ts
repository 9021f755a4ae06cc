/** Figures of usage in the store, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCountRetention } from '../../../src/audit/index/event-retention.ts'
import { countedCall } from '../../../src/audit/records/counted-call.ts'
import type { CountedCall } from '../../../src/model/usage.ts'
import { saveEventBlocks } from '../../../src/store/tables/event-index-rows.ts'
import { engines, storeOf } from '../engines.ts'

const accountId = '111122223333'
const region = 'us-west-2'
const start = Date.UTC(2026, 10, 3, 4, 5, 6)
const minuteMs = 60_000

function callOf(operation: string, after: number, more: object = {}): CountedCall {
  const call = countedCall(
    {
      eventSource: 'kms.amazonaws.com',
      eventType: 'AwsApiCall',
      eventName: operation,
      userIdentity: { accountId },
      resources: [{ type: 'AWS::KMS::Key', ARN: 'arn:aws:kms:us-west-2:111122223333:key/a' }],
      ...more,
    },
    { accountId, region, time: start + after },
  )
  assert(call)
  return call
}

const aboutNothing = [
  { eventSource: 'iam.amazonaws.com', eventType: 'AwsApiCall', eventName: 'CreateKey' },
  { eventSource: 'kms.amazonaws.com', eventType: 'AwsServiceEvent', eventName: 'Other' },
]

test('events that are neither KMS requests nor changes of a key do not count', () => {
  for (const record of aboutNothing) {
    assert.equal(countedCall(record, { accountId, region, time: start }), undefined)
  }
})

test('an alias that a record names with its key does not count as a key', () => {
  const of = (name: string): object => ({
    type: 'AWS::KMS::Key',
    ARN: `arn:aws:kms:${region}:${accountId}:${name}`,
  })
  const { keyArns } = callOf('CreateAlias', 0, { resources: [of('alias/a'), of('key/b')] })
  assert.deepEqual(keyArns, [`arn:aws:kms:${region}:${accountId}:key/b`])
})

test('changes of keys follow from the operation and its answer, for successes only', () => {
  const response = {
    keyMetadata: { keyState: 'PendingImport', keySpec: 'RSA_2048', keyManager: 'CUSTOMER' },
  }
  const said = (operation: string, more: object = {}): unknown =>
    callOf(operation, 0, more).turns.map(({ keyArn, ...turn }) => keyArn.endsWith('key/a') && turn)
  assert.deepEqual(said('CreateKey', { responseElements: response }), [
    { state: 'PendingImport', spec: 'RSA_2048', manager: 'CUSTOMER' },
  ])
  assert.deepEqual(said('DisableKey'), [{ state: 'Disabled' }])
  assert.deepEqual(said('DisableKey', { errorCode: 'AccessDenied' }), [])
  const replicas = { responseElements: { keyState: 'PendingReplicaDeletion' } }
  assert.deepEqual(said('ScheduleKeyDeletion', replicas), [{ state: 'PendingReplicaDeletion' }])
  assert.deepEqual(said('RotateKey', { eventType: 'AwsServiceEvent' }), [{ state: 'Rotated' }])
  assert.deepEqual(said('Encrypt'), [])
})

for (const { name: engine, open } of engines) {
  test(`${engine}: requests are counted by minute, hour and month, over savings`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    const position = { stream: 'worker-0', segment: 1, offset: 1 }
    const save = (...calls: readonly CountedCall[]): Promise<void> =>
      saveEventBlocks(database.query, [], calls, position)
    await save(callOf('Encrypt', 0), callOf('Encrypt', 1, { errorCode: 'x' }), callOf('Decrypt', 2))
    await save(
      callOf('Encrypt', 2 * minuteMs),
      callOf('Encrypt', 3, { userIdentity: { accountId: '444455556666' } }),
      callOf('GenerateDataKeyPair', 4, { requestParameters: { keyPairSpec: 'RSA_2048' } }),
    )
    const counts = async (period: 'minute' | 'hour' | 'month', limit = 100): Promise<unknown> => {
      const page = { accountId, period, from: 0, until: start + 1e9, limit }
      const first = await store.listRequestCounts(page)
      const after = first.at(-1)
      const rest =
        after === undefined ? [] : await store.listRequestCounts({ ...page, after, limit: 100 })
      return [...first, ...rest].map((each) => [
        each.operation,
        each.own,
        (each.start - start) / minuteMs,
        each.succeeded,
        each.failed,
      ])
    }
    assert.deepEqual(await counts('minute'), [
      ['Decrypt', true, -0.1, 1, 0],
      ['Encrypt', false, -0.1, 1, 0],
      ['Encrypt', true, -0.1, 1, 1],
      ['GenerateDataKeyPair RSA_2048', true, -0.1, 1, 0],
      ['Encrypt', true, 1.9, 1, 0],
    ])
    const all = await counts('hour')
    assert.deepEqual(all, [
      ['Decrypt', true, -5.1, 1, 0],
      ['Encrypt', false, -5.1, 1, 0],
      ['Encrypt', true, -5.1, 2, 1],
      ['GenerateDataKeyPair RSA_2048', true, -5.1, 1, 0],
    ])
    for (let limit = 1; limit < 5; limit += 1) assert.deepEqual(await counts('hour', limit), all)
    assert.equal(((await counts('month')) as readonly unknown[]).length, 4)
    const job = createCountRetention(store)
    const { signal } = new AbortController()
    while (await job.run(start + 16 * 86_400_000, signal)) continue
    assert.deepEqual(await counts('minute'), [])
    assert.deepEqual(await counts('hour'), all)
  })

  test(`${engine}: turns are kept once, and paged by key and time`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    const position = { stream: 'worker-0', segment: 1, offset: 1 }
    const turns = ['CreateKey', 'DisableKey', 'EnableKey'].map((name, index) =>
      callOf(name, index * 1000),
    )
    await saveEventBlocks(database.query, [], [...turns, ...turns], position)
    const list = (more: object = {}) =>
      store.listKeyTurns(accountId, { before: start + 1e9, limit: 10, ...more })
    const all = await list()
    assert.deepEqual(
      all.map(({ state, at }) => [state, at - start]),
      [
        ['Enabled', 0],
        ['Disabled', 1000],
        ['Enabled', 2000],
      ],
    )
    assert.deepEqual(await list({ after: all[0] }), all.slice(1))
    assert.deepEqual(await list({ before: start + 1000 }), all.slice(0, 1))
    assert.deepEqual(await store.listKeyTurns('444455556666', { before: 1e15, limit: 9 }), [])
  })
}
