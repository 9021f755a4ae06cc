/** Targets and bodies that no SDK sends, rightly signed: each refused in AWS's words, and nothing is made. @module */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, test } from 'node:test'
import { ListKeysCommand } from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { withHeader } from '../authenticate/signer.ts'
import { recordsOf } from './records.ts'
import { callByHand, send, signedCall } from './signed-http.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
const { port } = server

async function keyCount(): Promise<number> {
  return (await kms.send(new ListKeysCommand({ Limit: 1000 }))).Keys?.length ?? 0
}

async function createKey(body: string): Promise<readonly [number, unknown]> {
  const keys = await keyCount()
  const answer = await callByHand(port, 'CreateKey', { body })
  if (answer.status !== 200) assert.equal(await keyCount(), keys, 'a key was made all the same')
  return [answer.status, JSON.parse(answer.text)]
}

/** Signed by what the bytes hash to: the signer takes text only. */
async function signedBytes(body: Buffer): ReturnType<typeof signedCall> {
  const headers = { 'x-amz-content-sha256': hash('sha256', body, 'hex') }
  return { ...(await signedCall(port, 'CreateKey', { headers })), body }
}

const malformed = [400, { __type: 'SerializationException' }]

test('a body that is a JSON object is taken, with members that no operation knows', async () => {
  for (const body of [
    '{}',
    ' {\r\n\t} ',
    '',
    '{"Description":"caf\\u00e9","NoSuchMember":{"a":[1,2,{"b":null}]}}',
    '{"Description":null,"Tags":null}',
  ]) {
    assert.equal((await createKey(body))[0], 200, body)
  }
})

test('a body that is not JSON, or JSON that is no object', async () => {
  for (const body of [
    'not json',
    '{',
    '{"Description":"a"',
    '{"Description":"a"}}',
    "{'Description':'a'}",
    '{"Description":"a",}',
    '{"Description":undefined}',
    '{"Description":"\u0001"}',
    '{"Description":"\\x41"}',
    '\ufeff{}',
    'null',
    '[]',
    '[{}]',
    '"{}"',
    '1',
    'true',
    'Action=CreateKey&Version=2014-11-01',
  ]) {
    assert.deepEqual(await createKey(body), malformed, body)
  }
})

test('a member that is there twice, spelt in two ways as well', async () => {
  for (const body of [
    '{"Description":"a","Description":"b"}',
    '{"Description":"a","\\u0044escription":"b"}',
    '{"Unknown":{"a":1,"a":2}}',
    '{"__proto__":1,"__proto__":2}',
  ]) {
    assert.deepEqual(await createKey(body), malformed, body)
  }
})

test('depth bombs and crowds of objects', async () => {
  for (const body of [
    `{"Unknown":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    `{"Unknown":${'['.repeat(100_000)}`,
    `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
    `{"Unknown":[${'{},'.repeat(100_000)}{}]}`,
  ]) {
    assert.deepEqual(await createKey(body), malformed)
  }
})

test('a lone surrogate, and a number that is none', async () => {
  for (const body of [
    '{"Description":"\\ud800"}',
    '{"Description":"\\udc00\\ud800"}',
    '{"Unknown":1e999}',
    '{"Unknown":NaN}',
    '{"Unknown":01}',
  ]) {
    assert.deepEqual(await createKey(body), malformed, body)
  }
})

test('members of another type than theirs', async () => {
  for (const body of [
    '{"Description":1}',
    '{"Description":{}}',
    '{"MultiRegion":"true"}',
    '{"Tags":{}}',
    '{"Tags":[null]}',
    '{"Tags":["a"]}',
    '{"Tags":[{"TagKey":1,"TagValue":""}]}',
    '{"KeySpec":["SYMMETRIC_DEFAULT"]}',
  ]) {
    assert.deepEqual(await createKey(body), malformed, body)
  }
  for (const [operation, body] of [
    ['ListKeys', '{"Limit":"1"}'],
    ['ListKeys', '{"Limit":1.5}'],
    ['GenerateRandom', '{"NumberOfBytes":1e30}'],
    ['Encrypt', '{"KeyId":"alias/a","Plaintext":"AA==","EncryptionContext":["a"]}'],
    ['Encrypt', '{"KeyId":"alias/a","Plaintext":"AA==","EncryptionContext":{"a":1}}'],
  ] as const) {
    const answer = await callByHand(port, operation, { body })
    assert.equal(answer.text, '{"__type":"SerializationException"}', body)
  }
})

test('invalid base64', async () => {
  for (const blob of [
    'A',
    'AA',
    'AA=',
    'A===',
    'AA==\\n',
    'A-_=',
    '!!!!',
    'AAAA AAAA',
    '💥',
    'AA==AA==',
  ]) {
    for (const body of [
      `{"CiphertextBlob":"${blob}"}`,
      `{"KeyId":"alias/a","Plaintext":"${blob}","CiphertextBlob":"AA=="}`,
    ]) {
      const operation = body.includes('Plaintext') ? 'Encrypt' : 'Decrypt'
      const answer = await callByHand(port, operation, { body })
      assert.deepEqual(
        [answer.status, answer.text],
        [400, '{"__type":"SerializationException"}'],
        blob,
      )
    }
  }
})

test('bytes that are not UTF-8', async () => {
  for (const hex of ['ff', 'c0af', 'eda080', 'f5808080', 'c3', '80']) {
    const bytes = Buffer.concat([
      Buffer.from('{"Description":"'),
      Buffer.from(hex, 'hex'),
      Buffer.from('"}'),
    ])
    const request = await signedBytes(bytes)
    const answer = await send({ port }, request)
    assert.deepEqual(
      [answer.status, answer.text],
      [400, '{"__type":"SerializationException"}'],
      hex,
    )
  }
})

const unknown = [400, '{"__type":"UnknownOperationException"}']

test('a target that is missing, unknown, hostile or another service’s', async () => {
  const keys = await keyCount()
  for (const target of [
    'TrentService',
    'TrentService.',
    'TrentService.NoSuchOperation',
    'TrentService.createkey',
    'TrentService.CreateKey.CreateKey',
    'TrentService.CreateKey ListKeys',
    'TrentService.constructor',
    'TrentService.__proto__',
    'TrentService.toString',
    'TrentService.hasOwnProperty',
    `TrentService.${'A'.repeat(5000)}`,
    'trentservice.CreateKey',
    'constructor.CreateKey',
    '__proto__.CreateKey',
    'kms.CreateKey',
    'AWSSecurityTokenServiceV20110615.GetCallerIdentity',
    'DynamoDB_20120810.ListTables',
    'TrentOperator.GetStatus',
    'TrentService.GetStatus',
    'TrentService.ResetTestData',
    '.CreateKey',
  ]) {
    const answer = await callByHand(port, '', { headers: { 'X-Amz-Target': target } })
    assert.deepEqual([answer.status, answer.text], unknown, target)
  }
  const without = withHeader(await signedCall(port, 'CreateKey'), 'x-amz-target', undefined)
  const answer = await send({ port }, without)
  assert.deepEqual([answer.status, answer.text], unknown)
  assert.equal(await keyCount(), keys)
})

test('a content type that is not the protocol’s', async () => {
  for (const type of ['application/json', 'application/x-amz-json-1.0', 'text/plain']) {
    const answer = await callByHand(port, 'CreateKey', { headers: { 'content-type': type } })
    assert.deepEqual([answer.status, answer.text], unknown, type)
  }
  // A form is spoken to IAM and STS: it reaches no operation of KMS, whatever its target says.
  const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
  const answer = await callByHand(port, 'CreateKey', { headers: form })
  assert.equal(answer.status, 400)
  assert.match(answer.text, /<Code>InvalidAction<\/Code>/)
  const parameter = { 'content-type': 'application/x-amz-json-1.1; charset=utf-8' }
  assert.equal((await callByHand(port, 'CreateKey', { headers: parameter })).status, 200)
})

test('another method or path than the protocol’s', async () => {
  const request = await signedCall(port, 'CreateKey')
  const get = await send({ port }, { ...request, method: 'GET' })
  assert.deepEqual([get.status, get.headers.allow], [405, 'POST'])
  for (const target of ['/kms', '//', '/%2e', '/index.html', '/_trent/test/clock']) {
    const answer = await send({ port }, { ...request, target })
    const said: unknown = JSON.parse(answer.text)
    const message = 'nothing is served at this path'
    assert.deepEqual([answer.status, said], [404, { __type: 'UnknownOperationException', message }])
  }
})

test('a body of a megabyte is read, one byte more is refused before it is read whole', async () => {
  const mega = 1024 * 1024
  const fill = `{"Unknown":"${'x'.repeat(mega - '{"Unknown":""}'.length)}"}`
  assert.equal((await createKey(fill))[0], 200)
  const keys = await keyCount()
  const answer = await callByHand(port, 'CreateKey', { body: `${fill} ` })
  assert.equal(answer.status, 413)
  assert.deepEqual(JSON.parse(answer.text), {
    __type: 'RequestEntityTooLargeException',
    message: 'the request body is larger than this server takes',
  })
  assert.equal(await keyCount(), keys)
})

test('what an authenticated caller could not say is recorded, and none of what it said', async () => {
  const earlier = (await recordsOf(server.directory)).length
  await callByHand(port, 'CreateKey', { body: '{"Description":"planted-in-a-broken-body"' })
  const records = (await recordsOf(server.directory)).slice(earlier)
  assert.deepEqual(
    records.map(({ eventName, errorCode, requestParameters }) => [
      eventName,
      errorCode,
      requestParameters,
    ]),
    [['CreateKey', 'SerializationException', null]],
  )
  assert(!JSON.stringify(records).includes('planted-in-a-broken-body'))
})
