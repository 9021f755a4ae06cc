/** What is refused before its body is read, and what a body that never comes cannot hold. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CreateKeyCommand, EncryptCommand, ListKeysCommand } from '@aws-sdk/client-kms'
import { GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts'
import type { Signing } from '../authenticate/signer.ts'
import { credentials, region, startTestServer } from '../harness.ts'
import { rawClient, type RawClient } from '../wire/raw-client.ts'
import { signedCall } from './signed-http.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
const { port, url } = server
const sts = new STSClient({ region, endpoint: url, credentials, maxAttempts: 1 })
after(() => sts.destroy())

/** Sends the head of a signed request and a part of its body, and keeps the rest. */
async function half(signing: Signing = {}, sent = 5, localAddress?: string): Promise<RawClient> {
  const request = await signedCall(port, 'CreateKey', {
    body: '{"Description":"half"}',
    ...signing,
  })
  const { rawHeaders, target, method, body } = request
  const fields = rawHeaders.flatMap((name, at) =>
    at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1]}\r\n`] : [],
  )
  const client = rawClient(localAddress === undefined ? { port } : { port, localAddress })
  const length = `Content-Length: ${body.length}\r\n`
  client.write(`${method} ${target} HTTP/1.1\r\n${fields.join('')}${length}\r\n`)
  client.write(body.subarray(0, sent))
  return client
}

const unrecognized =
  /^HTTP\/1\.1 400 [^]*"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid\."\}$/
const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }

test('an access key that is not there is refused before its body', async () => {
  for (const signing of [
    { accessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
    { accessKeyId: 'no/key' },
    { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', form: 'presigned' },
  ] as const) {
    const client = await half(signing)
    const answer = await client.until(/\}$/)
    if (signing.accessKeyId === 'no/key') assert.match(answer, /IncompleteSignatureException/)
    else assert.match(answer, unrecognized)
    client.socket.destroy()
  }
})

test('the answer is that of a whole request, so that it tells nothing more', async () => {
  for (const signing of [
    { accessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
    { region: 'mars-north-1', accessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
    { service: 's3' },
    { at: Date.UTC(2020, 0, 1) },
    { sessionToken: 'forged' },
    { headers: { 'X-Amz-Target': 'TrentService.Nothing' } },
    { headers: { 'X-Amz-Target': 'TrentOperator.GetStatus' } },
  ] satisfies readonly Signing[]) {
    const [early, whole] = await Promise.all([half(signing), half(signing, Infinity)])
    const shown = async (client: RawClient): Promise<string> => {
      const [line = ''] = (await client.until(/\}$/)).split('\r\n')
      return `${line} ${/\{.*\}$/.exec(client.received())?.[0]}`.replaceAll(/\d{8}T\d{6}Z/g, 'time')
    }
    assert.equal(await shown(early), await shown(whole))
    for (const { socket } of [early, whole]) socket.destroy()
  }
})

test('a request without a signature is refused before its body', async () => {
  const client = rawClient({ port })
  client.write(
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\n' +
      'X-Amz-Target: TrentService.Encrypt\r\nContent-Length: 1000000\r\n\r\n{',
  )
  assert.match(await client.until(/\}$/), /"__type":"MissingAuthenticationTokenException"/)
  client.socket.destroy()
})

test('a form is refused in its own words, and one without a signature is short', async () => {
  const client = await half({
    service: 'iam',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    headers: { ...form, 'X-Amz-Target': '' },
    body: 'Action=ListUsers&Version=2010-05-08',
  })
  const answer = await client.until(/<\/ErrorResponse>\n$/)
  assert.match(answer, /^HTTP\/1\.1 403 [^]*<Code>InvalidClientTokenId<\/Code>/)
  const unsigned = rawClient({ port })
  unsigned.write(
    `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${form['content-type']}\r\n` +
      `Content-Length: 1000000\r\n\r\nAction=AssumeRole`,
  )
  assert.match(await unsigned.until(/<\/ErrorResponse>\n$/), /^HTTP\/1\.1 413 [^]*<Error>/)
  const chunked = rawClient({ port })
  chunked.write(
    `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${form['content-type']}\r\n` +
      `Transfer-Encoding: chunked\r\n\r\n30000\r\n${'x'.repeat(140_000)}`,
  )
  assert.match(await chunked.until(/<\/ErrorResponse>\n$/), /^HTTP\/1\.1 413 [^]*<Error>/)
  for (const { socket } of [client, unsigned, chunked]) socket.destroy()
})

test('a path that nobody serves is refused before its body', async () => {
  const client = rawClient({ port })
  client.write('POST /elsewhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{')
  assert.match(await client.until(/\}$/), /^HTTP\/1\.1 404 /)
  const known = rawClient({ port })
  known.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{')
  assert.match(await known.until(/\}$/), /^HTTP\/1\.1 413 /)
  for (const { socket } of [client, known]) socket.destroy()
})

test('who is known may take time over a body, by an access key or a session', async () => {
  const { Credentials: session } = await sts.send(new GetSessionTokenCommand({}))
  const by = { accessKeyId: credentials.accessKeyId, secret: credentials.secretAccessKey }
  const temporary = {
    accessKeyId: session?.AccessKeyId ?? '',
    secret: session?.SecretAccessKey ?? '',
    sessionToken: session?.SessionToken ?? '',
  }
  for (const signing of [by, temporary]) {
    const client = await half(signing)
    // The server has looked at the head when it answers others that came later.
    await kms.send(new ListKeysCommand({}))
    assert.equal(client.received(), '')
    client.write('{"Description":"half"}'.slice(5))
    assert.match(await client.until(/\}$/), /^HTTP\/1\.1 200 /)
    client.socket.destroy()
  }
  const forged = await half({
    ...temporary,
    sessionToken: `${temporary.sessionToken.slice(0, -4)}AAAA`,
  })
  assert.match(await forged.until(/\}$/), unrecognized)
  forged.socket.destroy()
})

test('half-open bodies of a known access key from one address stop no call from it', async () => {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const Plaintext = Buffer.alloc(4096)
  const encrypt = new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext })
  // The large ones fill the room of 32 MiB but for less than one of them, the small ones the rest.
  const sizes = [...Array<number>(300).fill(120_000), ...Array<number>(80).fill(2000)]
  const flood: RawClient[] = []
  for (const size of sizes) {
    const body = `{"Description":"${'x'.repeat(size)}"}`
    flood.push(await half({ body }, size))
  }
  assert.equal((await fetch(`${url}/healthz`)).status, 200)
  for (let call = 0; call < 20; call += 1) await kms.send(encrypt)
  for (const { socket } of flood) socket.destroy()
})

test('1,300 idle connections from one address stop no call from it', async () => {
  const idle = Array.from({ length: 1300 }, () => rawClient({ port }))
  await Promise.race(idle.map(({ closed }) => closed))
  const fresh = server.client()
  await fresh.send(new CreateKeyCommand({}))
  for (const { socket } of idle) socket.destroy()
})
