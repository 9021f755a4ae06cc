import assert from 'node:assert/strict'
import { createHmac, createSecretKey, hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import test from 'node:test'
import {
  canonicalPath,
  canonicalQuery,
  canonicalRequest,
  readHeaders,
  readQuery,
  stringToSign,
} from '../../src/authenticate/canonical.ts'
import { createSigningKeys } from '../../src/authenticate/signing-keys.ts'
import { readVectors, suite, type Vector } from './vectors.ts'

const vectors = readVectors()
const absent = 'the folder ../shared/vectors/sigv4 is not there'

/** What Node's parser takes none of: AWS's services never see such a request either. */
const refusedOnTheWire = new Set([
  'get-header-value-multiline/get-header-value-multiline',
  'get-utf8/get-utf8',
  'get-vanilla-utf8-query/get-vanilla-utf8-query',
  'normalize-path/get-space/get-space',
])

function sign(vector: Vector): Record<'canonical' | 'text' | 'authorization', string> {
  const [path = '', query = ''] = vector.target.split('?')
  const headers = readHeaders(vector.rawHeaders)
  const signedHeaders = [...headers.values.keys()].sort()
  const canonical = canonicalRequest({
    method: vector.method,
    path: canonicalPath(path),
    parameters: readQuery(query),
    headers,
    signedHeaders,
    payloadHash: hash('sha256', vector.body, 'hex'),
  })
  const { accessKeyId, region, service, timestamp } = suite
  const date = timestamp.slice(0, 8)
  const scope = `${date}/${region}/${service}/aws4_request`
  const text = stringToSign(timestamp, scope, canonical)
  const secret = createSecretKey(Buffer.from(`AWS4${suite.secretAccessKey}`))
  const key = createSigningKeys(1).of({ accessKeyId, date, region, service }, secret)
  const signature = createHmac('sha256', key).update(text).digest('hex')
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, ` +
    `SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`
  return { canonical, text, authorization }
}

test("AWS's test suite: canonical request, string to sign and signature of every vector", (t) => {
  if (vectors === undefined) return t.skip(absent)
  assert.ok(vectors.length >= 34, `${vectors.length} vectors`)
  for (const vector of vectors) {
    const { canonical, text, authorization } = sign(vector)
    assert.equal(canonical, vector.canonicalRequest, vector.name)
    assert.equal(text, vector.stringToSign, vector.name)
    assert.equal(authorization, vector.authorization, vector.name)
  }
})

test("AWS's test suite on the wire: folded headers, raw UTF-8 and blanks get 400, the rest 200", async (t) => {
  if (vectors === undefined) return t.skip(absent)
  const server = createServer((_request, response) => response.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo // a TCP server's address has this form
  for (const vector of vectors) {
    const socket = connect(port, '127.0.0.1')
    socket.write(vector.wire)
    const [answer] = (await once(socket, 'data')) as [Buffer] // no encoding was set
    socket.destroy()
    const status = answer.toString('latin1').split(' ')[1]
    assert.equal(status, refusedOnTheWire.has(vector.name) ? '400' : '200', vector.name)
  }
})

test('a header value is trimmed and folded at blanks and tabs, and at nothing else', () => {
  const raw = ['A', ' \tx \t y ', 'a', 'z', 'B', 'p\u00a0\u00a0q', 'C', '']
  const { values, repeated } = readHeaders(raw)
  assert.deepEqual(
    [...values],
    [
      ['a', 'x y,z'],
      ['b', 'p\u00a0\u00a0q'],
      ['c', ''],
    ],
  )
  assert.deepEqual([...repeated], ['a'])
})

test('bytes of a header are hashed as they are', () => {
  const headers = readHeaders(['X', 'caf\u00e9'])
  const parts = { method: 'GET', path: '/', parameters: [], headers, signedHeaders: ['x'] }
  const canonical = canonicalRequest({ ...parts, payloadHash: '' })
  const bytes = Buffer.concat([
    Buffer.from('GET\n/\n\nx:caf'),
    Buffer.of(0xe9),
    Buffer.from('\n\nx\n'),
  ])
  assert.equal(stringToSign('d', 's', canonical).split('\n')[3], hash('sha256', bytes, 'hex'))
})

test('a path that is encoded already is encoded once more', () => {
  assert.equal(canonicalPath('/a%20b/c'), '/a%2520b/c')
  assert.equal(canonicalPath('/%2e%2e/c'), '/%252e%252e/c')
  assert.equal(canonicalPath('/../../a/./b/..'), '/a')
})

test('a query is sorted by encoded name, then value; blanks become %20; the signature is left out', () => {
  const query = 'b=2&a=%7e&a=+&B&X-Amz-Signature=x&x-amz-signature=y&&c=%2f%2B%C3%A9='
  const expected = 'B=&a=%20&a=~&b=2&c=%2F%2B%C3%A9%3D&x-amz-signature=y'
  assert.equal(canonicalQuery(readQuery(query)), expected)
})

test('more than a request may hold is refused, just as much is not', () => {
  const code = 'IncompleteSignatureException'
  const headers = (count: number): string[] => Array.from({ length: count * 2 }, () => 'x')
  assert.equal(readHeaders(headers(128)).values.size, 1)
  assert.throws(() => readHeaders(headers(129)), { code, message: /128 headers/ })
  assert.equal(readHeaders(['x', 'y'.repeat(8191)]).values.get('x')?.length, 8191)
  assert.throws(() => readHeaders(['x', 'y'.repeat(8192)]), { code, message: /8192 characters/ })
  assert.equal(readQuery(Array.from({ length: 64 }, () => 'a').join('&')).length, 64)
  const many = Array.from({ length: 65 }, () => 'a').join('&')
  assert.throws(() => readQuery(many), { code, message: /64 parameters/ })
  assert.equal(readQuery('a'.repeat(16_384)).length, 1)
  assert.throws(() => readQuery('a'.repeat(16_385)), { code, message: /16384 characters/ })
})

test('what is no escape, no byte or no header text is refused', () => {
  const code = 'IncompleteSignatureException'
  for (const query of ['a=%', 'a=%2', 'a=%zz', '%-1=a']) {
    assert.throws(() => readQuery(query), { code }, query)
  }
  assert.throws(() => canonicalPath('/\u0100'), { code })
  for (const value of ['a\nb', 'a\rb', 'a\0b', '\u0161']) {
    assert.throws(() => readHeaders(['x', value]), { code }, JSON.stringify(value))
  }
})
