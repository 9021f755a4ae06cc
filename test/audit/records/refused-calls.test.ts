import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Audited } from '../../../src/audit/records/audited.ts'
import { createRefusedCalls, type RefusedCalls } from '../../../src/audit/records/refused-calls.ts'
import type { Caller } from '../../../src/model/caller.ts'
import { decrypt } from '../../../src/operations/kms/decrypt.ts'
import { encrypt } from '../../../src/operations/kms/encrypt.ts'
import type { Operation } from '../../../src/operations/contract/operation.ts'
import { bucketMemory, createBuckets } from '../../../src/throttle/buckets.ts'

const accountId = '111122223333'
const user = { kind: 'user', accountId, arn: 'arn', uniqueId: 'AIDA', accessKeyId: 'AKIA' } as const
const issuer = { type: 'IAMUser', principalId: 'AIDA', arn: 'arn', accountId } as const
const session = {} as NonNullable<Caller['session']> // only its presence matters

function sessionOf(accessKeyId: string): Caller {
  return { ...user, accessKeyId, session, issuer }
}

interface Counted {
  readonly trent: {
    readonly refusals: {
      readonly count: number
      readonly since: string
      readonly calls: readonly object[]
      readonly callers?: readonly Readonly<Record<string, unknown>>[]
    }
  }
  readonly requestParameters: unknown
  readonly recipientAccountId: string
}

function opened(
  perSecond = 5,
  workers = 1,
): {
  readonly calls: RefusedCalls
  readonly written: Counted[]
  readonly fail: (error: Error) => void
  readonly own: (caller: Caller, times: number) => number
} {
  const written: Counted[] = []
  let failure: Error | undefined
  const buckets = createBuckets(bucketMemory(64), () => 0)
  const calls = createRefusedCalls({
    buckets,
    perSecond,
    workers,
    clock: { now: () => 2000 },
    async append(_, record) {
      if (failure !== undefined) throw failure
      written.push(JSON.parse(record) as Counted)
    },
  })
  const own = (caller: Caller, times: number): number =>
    Array.from({ length: times }, () => calls.hasOwnRecord(caller)).filter(Boolean).length
  return { calls, written, own, fail: (error) => (failure = error) }
}

function refused(operation: Operation = encrypt, more: Partial<Audited> = {}): Audited {
  return {
    eventId: '00000000-0000-4000-8000-000000000001',
    requestId: 'r',
    time: 1000,
    operation,
    caller: user,
    region: 'us-west-2',
    sourceAddress: '127.0.0.1',
    userAgent: undefined,
    input: { KeyId: 'k' },
    resources: [],
    reasons: [],
    outcome: { ok: false, code: 'AccessDeniedException', message: 'no' },
    ...more,
  }
}

test('an access key has records of its own for twenty seconds’ worth of refused calls at once', () => {
  const { own } = opened()
  assert.equal(own(user, 500), 100)
  assert.equal(own({ ...user, accessKeyId: 'AKIB', uniqueId: 'AIDB' }, 500), 100, 'each its own')
})

test('sessions share the rate of who is behind them, and subjects that of their provider', () => {
  const { own } = opened()
  assert.equal(own(sessionOf('ASIA'), 60) + own(sessionOf('ASIB'), 60), 100)
  const web = { ...user, kind: 'web-identity', arn: 'provider' } as const
  const { accessKeyId: _, ...unsigned } = web
  assert.equal(own(unsigned, 60) + own({ ...unsigned, uniqueId: 'other' }, 60), 100)
})

test('operators and the test API have a record for each call', () => {
  const { own } = opened()
  const operator = { kind: 'operator', accountId, arn: 'arn', uniqueId: 'operator' } as const
  assert.equal(own(operator, 500), 500)
})

test('one record counts many, by operation and error, and is there before they are answered', async () => {
  const { calls, written } = opened(100)
  const answered = Promise.all([
    ...Array.from({ length: 40 }, () => calls.count(refused())),
    ...Array.from({ length: 2 }, () => calls.count(refused(decrypt))),
  ])
  assert.equal(written.length, 0)
  await answered
  assert.equal(written.length, 1)
  const [record] = written
  const kind = { eventSource: 'kms.amazonaws.com', errorCode: 'AccessDeniedException' }
  assert.deepEqual(record?.trent.refusals, {
    count: 42,
    since: '1970-01-01T00:00:01Z',
    calls: [
      { ...kind, eventName: 'Encrypt', count: 40 },
      { ...kind, eventName: 'Decrypt', count: 2 },
    ],
  })
  assert.equal(record?.requestParameters, null)
})

test('more kinds of calls than one record tells apart are counted together', async () => {
  const { calls, written } = opened(100)
  const outcomes = Array.from({ length: 30 }, (_, index) => ({
    ok: false as const,
    code: `Error${index}`,
    message: '',
  }))
  const operation = encrypt
  await Promise.all(outcomes.map((outcome) => calls.count(refused(operation, { outcome }))))
  const told = written[0]?.trent.refusals
  assert.equal(told?.calls.length, 17)
  const others = { eventSource: 'others', eventName: 'others', errorCode: 'others', count: 14 }
  assert.deepEqual(told?.calls.at(-1), others)
})

test('several workers together write no more records than one', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const worker = opened(5, 4)
  const answered = worker.calls.count(refused())
  t.mock.timers.tick(799)
  assert.equal(worker.written.length, 0, 'a quarter of five a second')
  t.mock.timers.tick(1)
  await answered
  assert.equal(worker.written.length, 1)
})

test('a session that does nothing but fail does not hide the other sessions of its role', async () => {
  const { calls, written } = opened(100)
  const role = { ...issuer, type: 'Role', principalId: 'AROA' } as const
  const from = (name: string, sourceAddress: string): Audited =>
    refused(encrypt, {
      caller: { ...sessionOf(`ASIA-${name}`), issuer: role, uniqueId: `AROA:${name}` },
      sourceAddress,
    })
  await Promise.all([
    ...Array.from({ length: 5 }, () => calls.count(from('loud', '192.0.2.1'))),
    calls.count(from('quiet', '192.0.2.2')),
    ...Array.from({ length: 20 }, (_, index) => calls.count(from(`more${index}`, '192.0.2.3'))),
  ])
  assert.equal(written.length, 1)
  const callers = written[0]?.trent.refusals.callers ?? []
  const place = { awsRegion: 'us-west-2' }
  assert.deepEqual(callers.slice(0, 2), [
    {
      principalId: 'AROA:loud',
      accessKeyId: 'ASIA-loud',
      sourceIPAddress: '192.0.2.1',
      ...place,
      count: 5,
    },
    {
      principalId: 'AROA:quiet',
      accessKeyId: 'ASIA-quiet',
      sourceIPAddress: '192.0.2.2',
      ...place,
      count: 1,
    },
  ])
  assert.deepEqual([callers.length, callers.at(-1)?.['principalId']], [9, 'others'])
  assert.equal(callers.at(-1)?.['count'], 14)
})

test('an account counts only the calls that it would learn of one by one', async () => {
  const { calls, written } = opened(100)
  const service = {
    name: 'a.amazonaws.com',
    regionalName: 'a.us-west-2.amazonaws.com',
    region: 'us-west-2',
  } as const
  const caller: Caller = { ...user, kind: 'service', accountId: '', service }
  const about = (owner: string): Audited =>
    refused(encrypt, { caller, resources: [{ arn: 'key', accountId: owner }] })
  await Promise.all([calls.count(about(accountId)), calls.count(about('444455556666'))])
  assert.deepEqual(
    written.map(({ recipientAccountId, trent }) => [recipientAccountId, trent.refusals.count]),
    [
      [accountId, 1],
      ['444455556666', 1],
    ],
  )
})

test('access keys are counted in records of their own', async () => {
  const { calls, written } = opened(100)
  const other = refused(encrypt, { caller: { ...user, accessKeyId: 'AKIB' } })
  await Promise.all([calls.count(refused()), calls.count(other)])
  assert.equal(written.length, 2)
})

test('a count that cannot be written is the failure of each call that it counts', async () => {
  const { calls, fail } = opened(100)
  fail(new Error('the disk is full'))
  const results = await Promise.allSettled([calls.count(refused()), calls.count(refused())])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
})
