/** Faults on demand: what the SDK makes of them, and what they leave behind. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { DescribeKeyCommand, EncryptCommand, ListKeysCommand } from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'
import { send, type HttpAnswer } from './signed-http.ts'

const server = await startTestServer({ TRENT_TEST_API: 'on' })
after(() => server.stop())
const patient = server.client({ maxAttempts: 5 })
const impatient = server.client({ maxAttempts: 1 })
const { keyId: KeyId, arn } = await makeKey(patient)
const encryption = new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })

function ask(body: unknown, path = 'faults', method = 'POST'): Promise<HttpAnswer> {
  const rawHeaders = ['Host', `127.0.0.1:${server.port}`]
  if (body !== undefined) rawHeaders.push('Content-Type', 'application/json')
  const bytes = Buffer.from(body === undefined ? '' : JSON.stringify(body))
  const target = `/_trent/test/${path}`
  return send({ port: server.port }, { method, target, rawHeaders, body: bytes })
}

async function set(...faults: readonly object[]): Promise<void> {
  const { status, text } = await ask({ faults })
  assert.equal(status, 200, text)
}

async function left(): Promise<unknown> {
  const { text } = await ask(undefined, 'faults', 'GET')
  return (JSON.parse(text) as { readonly faults: unknown }).faults
}

async function recorded(eventName: string): Promise<readonly (string | undefined)[]> {
  const records = await recordsOf(server.directory)
  return records.filter((record) => record.eventName === eventName).map((each) => each.errorCode)
}

for (const [error, status, message] of [
  [
    'ThrottlingException',
    400,
    'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
  ],
  ['KMSInternalException', 500, 'UnknownError'],
  ['KeyUnavailableException', 500, 'a fault that POST /_trent/test/faults asked for'],
  ['DependencyTimeoutException', 500, 'a fault that POST /_trent/test/faults asked for'],
] as const) {
  test(`${error} strikes as often as asked, the SDK tries again, each is recorded`, async () => {
    await set({ operations: ['Encrypt'], error, count: 1 })
    const earlier = (await recorded('Encrypt')).length
    await assert.rejects(impatient.send(encryption), (refusal: Error) => {
      const { name, $metadata } = refusal as Error & { $metadata: { httpStatusCode: number } }
      assert.deepEqual([name, refusal.message, $metadata.httpStatusCode], [error, message, status])
      return true
    })
    assert.deepEqual(await left(), [])
    await set({ operations: ['Encrypt'], error, count: 2 })
    const { $metadata } = await patient.send(encryption)
    assert.equal($metadata.attempts, 3)
    const codes = (await recorded('Encrypt')).slice(earlier)
    assert.deepEqual(codes, [error, error, error, undefined])
  })
}

test('the first fault that names an operation strikes it, until it is taken back', async () => {
  const error = 'KMSInternalException'
  await set(
    { operations: ['DescribeKey'], error: 'ThrottlingException', count: 1 },
    { operations: ['DescribeKey', 'Decrypt'], error },
  )
  const describe = (): Promise<unknown> => impatient.send(new DescribeKeyCommand({ KeyId }))
  await assert.rejects(describe(), { name: 'ThrottlingException' })
  await assert.rejects(describe(), { name: error })
  await assert.rejects(describe(), { name: error })
  await impatient.send(encryption)
  assert.deepEqual(await left(), [{ operations: ['DescribeKey', 'Decrypt'], error }])
  await set({ operations: ['*'], error })
  await assert.rejects(impatient.send(encryption), { name: error })
  await assert.rejects(impatient.send(new ListKeysCommand({})), { name: error })
  await set()
  await impatient.send(encryption)
  await describe()
})

test('a late answer is late, and comes', async () => {
  await set({ operations: ['Encrypt'], delayMs: 700, count: 1 })
  const from = performance.now()
  await impatient.send(encryption)
  assert(performance.now() - from >= 700)
})

test('a caller that does not wait for a late answer gets none, and the next is served', async () => {
  await set({ operations: ['Encrypt'], delayMs: 60_000, count: 1 })
  const abortSignal = AbortSignal.timeout(200)
  await assert.rejects(impatient.send(encryption, { abortSignal }), { name: 'AbortError' })
  await impatient.send(encryption)
})

test('a fault leaves its record as a refusal of the key’s, and changes nothing', async () => {
  await set({ operations: ['CreateKey', 'Encrypt'], error: 'DependencyTimeoutException' })
  const { Keys } = await impatient.send(new ListKeysCommand({}))
  await assert.rejects(makeKey(impatient), { name: 'DependencyTimeoutException' })
  assert.deepEqual((await impatient.send(new ListKeysCommand({}))).Keys, Keys)
  await assert.rejects(impatient.send(encryption), { name: 'DependencyTimeoutException' })
  await set()
  const records = await recordsOf(server.directory)
  const last = records.findLast(({ eventName }) => eventName === 'Encrypt')
  assert.deepEqual(
    [last?.resources[0]?.['ARN'], last?.errorCode],
    [arn, 'DependencyTimeoutException'],
  )
})

test('a reset of the test data ends the faults', async () => {
  await set({ operations: ['*'], error: 'KMSInternalException' })
  assert.equal((await ask({}, 'reset')).status, 200)
  assert.deepEqual(await left(), [])
  await impatient.send(new ListKeysCommand({}))
})

test('faults that are not ones are refused, and those that were there stay', async () => {
  const kept = [{ operations: ['Encrypt'], error: 'KMSInternalException' }]
  await set(...kept)
  const fault = { operations: ['Encrypt'], error: 'ThrottlingException' }
  for (const [body, message] of [
    [{}, /Value null at 'faults' failed to satisfy constraint: Member must not be null/],
    [{ faults: [{ error: 'ThrottlingException' }] }, /operations.*must not be null/],
    [{ faults: [{ ...fault, operations: ['encrypt'] }] }, /`encrypt` is not a KMS operation/],
    [{ faults: [{ ...fault, operations: ['CreateUser'] }] }, /`CreateUser` is not a KMS operation/],
    [{ faults: [{ ...fault, operations: [] }] }, /operations/],
    [{ faults: [{ operations: ['Encrypt'] }] }, /a fault has an `error`, a `delayMs` or both/],
    [{ faults: [{ ...fault, error: 'AccessDeniedException' }] }, /enum value set/],
    [{ faults: [{ ...fault, delayMs: 60_001 }] }, /less than or equal to 60000/],
    [{ faults: [{ ...fault, count: 0 }] }, /greater than or equal to 1/],
  ] as const) {
    const { status, text } = await ask(body)
    assert.equal(status, 400, text)
    assert.match(text, /^{"__type":"ValidationException",/)
    assert.match(text, message)
  }
  assert.deepEqual(await left(), kept)
  await set()
})

test('without the switch there are no faults', async () => {
  const plain = await startTestServer()
  after(() => plain.stop())
  const rawHeaders = ['Host', `127.0.0.1:${plain.port}`, 'Content-Type', 'application/json']
  const request = { method: 'POST', target: '/_trent/test/faults', rawHeaders }
  const { status } = await send(
    { port: plain.port },
    { ...request, body: Buffer.from('{"faults":[]}') },
  )
  assert.equal(status, 404)
})
