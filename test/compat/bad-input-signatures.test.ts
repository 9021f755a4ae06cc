/** Requests that nobody, or nobody known, has rightly signed: over the real wire, beside ones that are right. @module */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { ListKeysCommand } from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { headerOf, withHeader, withSecondHeader, type Signing } from '../authenticate/signer.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'
import { send, signedCall, type HttpAnswer } from './signed-http.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
const { port } = server
const minuteMs = 60_000
let recorded: number

before(() => makeKey(kms))
beforeEach(async () => {
  recorded = (await recordsOf(server.directory)).length
})

/** Each is a CreateKey, so that one that came through would be seen. */
function createKey(signing: Signing = {}): ReturnType<typeof signedCall> {
  return signedCall(port, 'CreateKey', signing)
}

function refusal(answer: HttpAnswer): readonly [number, string, string | undefined] {
  const { __type, message } = JSON.parse(answer.text) as { __type: string; message?: string }
  assert.equal(answer.headers['content-type'], 'application/x-amz-json-1.1')
  assert.match(String(answer.headers['x-amzn-requestid']), /^[0-9a-f-]{36}$/)
  return [answer.status, __type, message]
}

async function keyCount(): Promise<number> {
  return (await kms.send(new ListKeysCommand({ Limit: 1000 }))).Keys?.length ?? 0
}

/** Nothing was made, and nothing was recorded: nobody is known to have asked. */
async function refusedUnheard(
  request: Awaited<ReturnType<typeof signedCall>>,
  code: string,
  message?: string | RegExp,
): Promise<void> {
  const keys = await keyCount()
  const [status, type, said] = refusal(await send({ port }, request))
  assert.deepEqual([status, type], [400, code])
  if (message instanceof RegExp) assert.match(said ?? '', message)
  else assert.equal(said, message)
  assert.equal(await keyCount(), keys)
  const heard = (await recordsOf(server.directory)).slice(recorded)
  assert.deepEqual([...new Set(heard.map(({ eventName }) => eventName))], ['ListKeys'])
}

const mismatch =
  'The request signature we calculated does not match the signature you provided. ' +
  'Check your AWS Secret Access Key and signing method. ' +
  'Consult the service documentation for details.'

test('a right signature is served, in the headers and in the query', async () => {
  const keys = await keyCount()
  for (const form of ['header', 'presigned'] as const) {
    const answer = await send({ port }, await createKey({ form }))
    assert.equal(answer.status, 200, answer.text)
  }
  assert.equal(await keyCount(), keys + 2)
})

test('no signature at all', async () => {
  const request = withHeader(await createKey(), 'authorization', undefined)
  await refusedUnheard(
    request,
    'MissingAuthenticationTokenException',
    'Missing Authentication Token',
  )
})

test('a signature that is no signature', async () => {
  const request = await createKey()
  for (const [value, message] of [
    ['AWS4-HMAC-SHA256', /^Authorization header requires 'Credential' parameter\. /],
    [
      'Basic dXNlcjpwYXNz',
      /^Invalid key=value pair \(missing equal-sign\) in Authorization header/,
    ],
    ['AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b', /'SignedHeader'/],
    [headerOf(request, 'authorization').replace('SHA256', 'SHA1'), /^Unsupported AWS 'algorithm'/],
  ] as const) {
    const changed = withHeader(request, 'authorization', value)
    await refusedUnheard(changed, 'IncompleteSignatureException', message)
  }
})

test('a signature of which any one character is another', async () => {
  const request = await createKey()
  const authorization = headerOf(request, 'authorization')
  const [head = '', signature = ''] = authorization.split('Signature=')
  for (let at = 0; at < signature.length; at += 7) {
    const other = signature[at] === '0' ? '1' : '0'
    const spoilt = signature.slice(0, at) + other + signature.slice(at + 1)
    const changed = withHeader(request, 'authorization', `${head}Signature=${spoilt}`)
    await refusedUnheard(changed, 'InvalidSignatureException', mismatch)
  }
})

test('a signature under another secret', async () => {
  const request = await createKey({ secret: 'not-the-secret-access-key' })
  await refusedUnheard(request, 'InvalidSignatureException', mismatch)
})

test('a body, target, path, query or signed header that was changed after signing', async () => {
  const request = await createKey({ body: '{"Description":"a"}', headers: { 'x-amz-note': 'a' } })
  for (const changed of [
    { ...request, body: Buffer.from('{"Description":"b"}') },
    { ...request, body: Buffer.concat([request.body, Buffer.from(' ')]) },
    withHeader(request, 'X-Amz-Target', 'TrentService.ListKeys'),
    withHeader(request, 'x-amz-note', 'b'),
    withHeader(request, 'host', `localhost:${port}`),
    { ...request, target: '/?a=b' },
  ]) {
    await refusedUnheard(changed, 'InvalidSignatureException', mismatch)
  }
})

test('a date that is stale, or ahead of time', async () => {
  for (const minutes of [-6, -60, -60 * 24 * 400]) {
    const request = await createKey({ at: Date.now() + minutes * minuteMs })
    const expired =
      /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/
    await refusedUnheard(request, 'InvalidSignatureException', expired)
  }
  for (const minutes of [6, 60, 60 * 24 * 400]) {
    const request = await createKey({ at: Date.now() + minutes * minuteMs })
    const early =
      /^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 5 min\.\)$/
    await refusedUnheard(request, 'InvalidSignatureException', early)
  }
})

test('a date that is four minutes off is served', async () => {
  for (const minutes of [-4, 4]) {
    const request = await createKey({ at: Date.now() + minutes * minuteMs })
    assert.equal((await send({ port }, request)).status, 200)
  }
})

test('a presigned request whose time is over', async () => {
  const request = await createKey({
    form: 'presigned',
    expiresIn: 60,
    at: Date.now() - 2 * minuteMs,
  })
  await refusedUnheard(request, 'InvalidSignatureException', /^Signature expired: .* - 1 min\.\)$/)
})

test('a scope of another service, of no Region, and of another day', async () => {
  await refusedUnheard(
    await createKey({ service: 'iam' }),
    'InvalidSignatureException',
    "Credential should be scoped to correct service: 'kms'.",
  )
  await refusedUnheard(
    await createKey({ region: 'mars-north-1' }),
    'InvalidSignatureException',
    "Credential should be scoped to a valid region, not 'mars-north-1'.",
  )
  const request = await createKey()
  const authorization = headerOf(request, 'authorization')
  const yesterday = authorization.replace(/\/\d{8}\//, '/20200101/')
  await refusedUnheard(
    withHeader(request, 'authorization', yesterday),
    'InvalidSignatureException',
    /^Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: /,
  )
})

const unknownToken = 'The security token included in the request is invalid.'

test('an access key that is not there, of any form, and a token that nobody gave', async () => {
  for (const accessKeyId of ['AKIDNOTTHERE', 'x'.repeat(128), '__proto__', 'constructor']) {
    const request = await createKey({ accessKeyId })
    await refusedUnheard(request, 'UnrecognizedClientException', unknownToken)
  }
  const withToken = await createKey({ sessionToken: 'made-up' })
  await refusedUnheard(withToken, 'UnrecognizedClientException', unknownToken)
})

test('what must be signed and is not, and what is signed and is not there', async () => {
  const request = await createKey({ headers: { 'x-amz-note': 'a' } })
  const authorization = headerOf(request, 'authorization')
  const without = (name: string): string => authorization.replace(`${name};`, '')
  for (const [changed, message] of [
    [
      withHeader(request, 'authorization', without('x-amz-note')),
      /'x-amz-note' must be .* because/,
    ],
    [withHeader(request, 'x-amz-more', 'b'), /'x-amz-more' must be .* because/],
    [withHeader(request, 'x-amz-security-token', 'b'), /'x-amz-security-token' must be/],
    [withHeader(request, 'x-amz-note', undefined), /the signed header `x-amz-note` is absent/],
  ] as const) {
    await refusedUnheard(changed, 'IncompleteSignatureException', message)
  }
  await refusedUnheard(
    withHeader(request, 'authorization', without('host')),
    'InvalidSignatureException',
    "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
  )
})

test('a form whose host is not signed is refused in its own words', async () => {
  const request = await createKey({
    service: 'sts',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'X-Amz-Target': '' },
    body: 'Action=GetCallerIdentity&Version=2011-06-15',
  })
  const right = await send({ port }, request)
  assert.equal(right.status, 200)
  const authorization = headerOf(request, 'authorization').replace('host;', '')
  const answer = await send({ port }, withHeader(request, 'authorization', authorization))
  assert.equal(answer.status, 403)
  assert.match(answer.text, /<Code>SignatureDoesNotMatch<\/Code><Message>[^<]*Host[^<]*must be a/)
})

test('a second one of a header that decides', async () => {
  const request = await createKey()
  for (const name of ['authorization', 'x-amz-date', 'x-amz-target', 'content-type']) {
    const doubled = withSecondHeader(request, name, headerOf(request, name))
    await refusedUnheard(doubled, 'IncompleteSignatureException', new RegExp(`\`${name}\``))
  }
  const tokens = withSecondHeader(
    await createKey({ sessionToken: 'a' }),
    'X-Amz-Security-Token',
    'b',
  )
  await refusedUnheard(tokens, 'IncompleteSignatureException', /`x-amz-security-token`/)
})

test('signed in the headers and in the query at once', async () => {
  const request = await createKey()
  const { target } = await createKey({ form: 'presigned' })
  await refusedUnheard({ ...request, target }, 'IncompleteSignatureException', /^Found both/)
})

test('a payload that is not signed', async () => {
  for (const declared of ['UNSIGNED-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD']) {
    const request = await createKey({ headers: { 'x-amz-content-sha256': declared } })
    await refusedUnheard(request, 'IncompleteSignatureException', /the payload must be signed/)
  }
})
