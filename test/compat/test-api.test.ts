/** The test API: the clock that decides, the reset, and who is kept from both. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  CreateAliasCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  ListAliasesCommand,
  ListKeysCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { accountId, startTestServer } from '../harness.ts'
import { otherAccountId, otherCredentials, startWithTwoAccounts } from './accounts.ts'
import { recordsOf } from './records.ts'
import { makeKey, refused } from './sdk.ts'
import { send, type HttpAnswer } from './signed-http.ts'

const server = await startTestServer({ TRENT_TEST_API: 'on' })
after(() => server.stop())
const kms = server.client()
const clock = '/_trent/test/clock'
const reset = '/_trent/test/reset'
const dayMs = 86_400_000
/** The tests take no longer than this, whatever machine they run on. */
const patienceMs = 600_000

function ask(
  method: string,
  target: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
  to: { readonly port: number } = server,
): Promise<HttpAnswer> {
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' }
  const all = { Host: `127.0.0.1:${to.port}`, ...type, ...headers }
  const rawHeaders = Object.entries(all).flat()
  const bytes = Buffer.from(body === undefined ? '' : JSON.stringify(body))
  return send({ port: to.port }, { method, target, rawHeaders, body: bytes })
}

function nowOf(answer: HttpAnswer): number {
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.headers['content-type'], 'application/json')
  const { now } = JSON.parse(answer.text) as { readonly now: string }
  assert.match(now, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  return Date.parse(now)
}

function requireSoonAfter(time: number, wanted: number): void {
  const late = time - wanted
  assert(late >= 0 && late < patienceMs, `${late} ms after what was wanted`)
}

test('the clock is read, set and advanced, and ticks on from there', async () => {
  requireSoonAfter(nowOf(await ask('GET', clock)), Date.now() - patienceMs / 2)
  const set = Date.parse('2030-01-01T00:00:00Z')
  requireSoonAfter(nowOf(await ask('POST', clock, { set: '2030-01-01T00:00:00Z' })), set)
  let wanted = set
  for (const [advance, ms] of [
    ['30s', 30_000],
    ['2m', 120_000],
    ['3h', 10_800_000],
    ['91d', 91 * dayMs],
    ['0s', 0],
  ] as const) {
    wanted += ms
    requireSoonAfter(nowOf(await ask('POST', clock, { advance })), wanted)
    requireSoonAfter(nowOf(await ask('GET', clock)), wanted)
  }
  const before = nowOf(await ask('GET', clock))
  while (nowOf(await ask('GET', clock)) === before) continue
  const past = Date.parse('2001-02-03T04:05:06Z')
  requireSoonAfter(nowOf(await ask('POST', clock, { set: '2001-02-03T04:05:06Z' })), past)
})

test('a clock that cannot be set so is left as it is', async () => {
  await ask('POST', clock, { set: '2030-01-01T00:00:00Z' })
  for (const body of [
    {},
    { advance: '1d', set: '2031-01-01T00:00:00Z' },
    { advance: '1' },
    { advance: 'd' },
    { advance: '-1d' },
    { advance: '1.5d' },
    { advance: '1w' },
    { advance: '9999999999d' },
    { set: 'tomorrow' },
    { set: '2031' },
    { set: '2031-01-01' },
    { set: '2031-01-01T00:00' },
    { set: '2031-01-01T00:00:00' },
    { set: '2031-01-01T00:00:00 GMT' },
    { set: '2031-13-01T00:00:00Z' },
    { set: '2031-02-29T00:00:00Z' },
    { set: '1900-01-01T00:00:00Z' },
    { set: '99999-01-01T00:00:00Z' },
  ]) {
    const { status, text } = await ask('POST', clock, body)
    assert.equal(status, 400, text)
    assert.match(text, /^\{"__type":"ValidationException","message":"/)
  }
  for (const body of [[], 'x', { advance: 1 }, { set: null, advance: {} }]) {
    const { text } = await ask('POST', clock, body)
    assert.equal(text, '{"__type":"SerializationException"}')
  }
  requireSoonAfter(nowOf(await ask('GET', clock)), Date.parse('2030-01-01T00:00:00Z'))
})

test('what is stored and recorded has the clock’s time, and signatures the system’s', async () => {
  const set = Date.parse('2035-06-07T08:09:10Z')
  await ask('POST', clock, { set: '2035-06-07T08:09:10Z' })
  const earlier = (await recordsOf(server.directory)).length
  const { keyId: KeyId } = await makeKey(kms)
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
  requireSoonAfter(KeyMetadata?.CreationDate?.getTime() ?? 0, set)
  const days = { KeyId, PendingWindowInDays: 10 }
  const { DeletionDate } = await kms.send(new ScheduleKeyDeletionCommand(days))
  requireSoonAfter(DeletionDate?.getTime() ?? 0, set + 10 * dayMs)
  for (const { eventTime } of (await recordsOf(server.directory)).slice(earlier)) {
    requireSoonAfter(Date.parse(eventTime), set)
  }
  const answer = await ask('GET', clock)
  assert(Math.abs(Date.parse(String(answer.headers.date)) - Date.now()) < patienceMs)
})

test('aws:CurrentTime in a key policy is the clock’s', async () => {
  const root = { AWS: `arn:aws:iam::${accountId}:root` }
  const rule = { Principal: root, Resource: '*' }
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { ...rule, Effect: 'Allow', Action: 'kms:*' },
      {
        ...rule,
        Effect: 'Deny',
        Action: 'kms:Encrypt',
        Condition: { DateGreaterThan: { 'aws:CurrentTime': '2040-01-01T00:00:00Z' } },
      },
    ],
  })
  await ask('POST', clock, { set: '2039-12-31T00:00:00Z' })
  const { keyId: KeyId } = await makeKey(kms, { Policy })
  const encrypt = (): Promise<object> =>
    kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  await encrypt()
  await ask('POST', clock, { advance: '25h' })
  await assert.rejects(encrypt(), { name: 'AccessDeniedException' })
  await ask('POST', clock, { set: '2039-12-31T00:00:00Z' })
  await encrypt()
})

test('without the switch there is no test API, and no trace of one', async () => {
  const plain = await startTestServer()
  after(() => plain.stop())
  const nowhere = await ask('GET', '/_trent/test/nowhere', undefined, {}, plain)
  for (const [method, target, body] of [
    ['GET', clock, undefined],
    ['GET', reset, undefined],
    ['POST', clock, { advance: '1d' }],
    ['POST', reset, {}],
  ] as const) {
    const { status, text } = await ask(method, target, body, {}, plain)
    assert.equal(status, 404)
    if (method === 'GET') assert.equal(text, nowhere.text)
  }
})

test('a page of another origin, a name rebound to this address and a form reach nothing', async () => {
  await ask('POST', clock, { set: '2030-01-01T00:00:00Z' })
  const { port } = server
  for (const [headers, status] of [
    [{ Host: 'evil.example' }, 403],
    [{ Host: `evil.example:${port}` }, 403],
    [{ Origin: 'http://evil.example' }, 403],
    [{ Origin: `http://127.0.0.1:${port + 1}` }, 403],
    [{ Origin: 'null' }, 403],
    [{ 'Sec-Fetch-Site': 'cross-site' }, 403],
    [{ 'Content-Type': 'text/plain' }, 415],
    [{ 'Content-Type': 'application/x-www-form-urlencoded' }, 415],
    [{ 'Content-Type': 'application/x-amz-json-1.1' }, 415],
    [{ 'Content-Type': 'multipart/form-data' }, 415],
  ] as const) {
    for (const [target, body] of [
      [clock, { set: '2050-01-01T00:00:00Z' }],
      [reset, {}],
    ] as const) {
      assert.equal((await ask('POST', target, body, headers)).status, status)
    }
    if (status === 403) assert.equal((await ask('GET', clock, undefined, headers)).status, 403)
  }
  assert.equal((await ask('DELETE', clock)).status, 405)
  assert.equal((await ask('GET', reset)).status, 405)
  requireSoonAfter(nowOf(await ask('GET', clock)), Date.parse('2030-01-01T00:00:00Z'))
  for (const headers of [
    { Host: `localhost:${port}` },
    { Origin: `http://127.0.0.1:${port}`, 'Sec-Fetch-Site': 'same-origin' },
    { 'Content-Type': 'application/json; charset=utf-8' },
  ]) {
    nowOf(await ask('POST', clock, { advance: '0s' }, headers))
  }
})

test('a reset empties the store but for the account and its root credentials', async () => {
  const two = await startWithTwoAccounts({ TRENT_TEST_API: 'on' })
  after(() => two.stop())
  const client = two.client()
  const { keyId: KeyId } = await makeKey(client)
  await client.send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: KeyId }))
  const sealed = await client.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  await makeKey(two.client({ region: 'eu-west-1' }))
  await makeKey(two.otherClient())
  const answer = await ask('POST', reset, {}, {}, two)
  assert.equal(answer.status, 200)
  for (const region of ['us-west-2', 'eu-west-1']) {
    const regional = two.client({ region })
    assert.deepEqual((await regional.send(new ListKeysCommand({}))).Keys, [])
    const { Aliases } = await regional.send(new ListAliasesCommand({}))
    // AWS's own are always there, and point to nothing.
    assert.deepEqual(
      Aliases?.filter(({ TargetKeyId }) => TargetKeyId !== undefined),
      [],
    )
  }
  const { CiphertextBlob } = sealed
  await refused(
    client.send(new DecryptCommand({ CiphertextBlob })),
    'AccessDeniedException',
    'The ciphertext refers to a customer master key that does not exist, does not exist in this ' +
      'region, or you are not allowed to access.',
  )
  await refused(
    two.client({ credentials: otherCredentials }).send(new ListKeysCommand({})),
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  )
  await makeKey(client)
  const records = await recordsOf(two.directory)
  const [wiped] = records.filter(({ eventName }) => eventName === 'ResetTestData')
  assert.equal(wiped?.userIdentity['type'], 'TestApi')
  const others = records.filter(({ recipientAccountId }) => recipientAccountId === otherAccountId)
  assert(others.length > 0, 'the audit log keeps what it has')
})

test('each use of the test API is recorded', async () => {
  const earlier = (await recordsOf(server.directory)).length
  await ask('GET', clock)
  await ask('POST', clock, { advance: '1s' })
  await ask('POST', clock, { advance: 'never' })
  const records = (await recordsOf(server.directory)).slice(earlier)
  assert.deepEqual(
    records.map(({ eventSource, eventName, userIdentity, errorCode, requestParameters }) => [
      eventSource,
      eventName,
      userIdentity['type'],
      errorCode,
      requestParameters,
    ]),
    [
      ['trent.amazonaws.com', 'GetTestClock', 'TestApi', undefined, null],
      ['trent.amazonaws.com', 'SetTestClock', 'TestApi', undefined, { advance: '1s' }],
      [
        'trent.amazonaws.com',
        'SetTestClock',
        'TestApi',
        'ValidationException',
        { advance: 'never' },
      ],
    ],
  )
})
