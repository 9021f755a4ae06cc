import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { post, rawClient } from './raw-client.ts'
import { running } from './running-listener.ts'

const bounded = { timeout: 30_000 }
const small = { bodyBytesMax: 1000 }
const chunked = 'Transfer-Encoding: chunked\r\n'

test('a body at the limit is taken, declared or chunked', bounded, async (t) => {
  const listener = await running(t, small)
  const client = rawClient(listener)
  const body = 'x'.repeat(1000)
  client.write(post(body))
  await client.until(/ok 1000$/)
  client.write(post(`3e8\r\n${body}\r\n0\r\n\r\n`, chunked))
  await client.until(/ok 1000HTTP[^]*ok 1000$/)
  client.socket.destroy()
})

test('a declared body over the limit is refused before any of it is sent', bounded, async (t) => {
  const listener = await running(t, small)
  const client = rawClient(listener)
  client.write(post('', 'Content-Length: 1001\r\n'))
  const received = await client.until(/\}$/)
  assert.match(received, /^HTTP\/1\.1 413 /)
  assert.match(received, /\r\nConnection: close\r\n/)
  assert.match(received, /"__type":"RequestEntityTooLargeException"/)
  await client.closed
  assert.equal(listener.seen.length, 0)
})

test('the default limit of a body is 1 MiB', bounded, async (t) => {
  const listener = await running(t)
  const taken = rawClient(listener)
  taken.write(post('x'.repeat(1024 * 1024)))
  await taken.until(/ok 1048576$/)
  taken.socket.destroy()
  const refused = rawClient(listener)
  refused.write(post('', `Content-Length: ${1024 * 1024 + 1}\r\n`))
  assert.match(await refused.until(/\}$/), /^HTTP\/1\.1 413 /)
  refused.socket.destroy()
})

test(
  'a chunked body over the limit is refused while it is still being sent',
  bounded,
  async (t) => {
    const listener = await running(t, small)
    const client = rawClient(listener)
    client.write(`POST / HTTP/1.1\r\nHost: localhost\r\n${chunked}\r\n`)
    for (let sent = 0; sent <= 1000; sent += 100) client.write(`64\r\n${'x'.repeat(100)}\r\n`)
    // The last chunk is never sent: the answer does not wait for it.
    assert.match(await client.until(/\}$/), /^HTTP\/1\.1 413 /)
    await client.closed
    assert.equal(listener.seen.length, 0)
  },
)

test('a client that sends a large body whole before it reads gets its 413', bounded, async (t) => {
  const listener = await running(t, { lingerMs: 20_000 })
  for (const headers of [{ 'Content-Length': 8 << 20 }, {}]) {
    const sent = httpRequest({ host: '127.0.0.1', port: listener.port, method: 'POST', headers })
    sent.write(Buffer.alloc(4 << 20))
    sent.end(Buffer.alloc(4 << 20))
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    assert.equal(response.statusCode, 413)
    assert.match(await text(response), /RequestEntityTooLargeException/)
    sent.on('error', () => {}).destroy()
  }
  assert.equal(listener.seen.length, 0)
})

test(
  'a refused client may send the rest of its body, and its connection ends in order',
  bounded,
  async (t) => {
    const listener = await running(t, { ...small, lingerMs: 20_000 })
    const client = rawClient(listener)
    let ended = false
    let broken: unknown
    client.socket.on('end', () => (ended = true)).on('error', (error) => (broken = error))
    const chunk = `400\r\n${'x'.repeat(1024)}\r\n`
    client.write(`POST / HTTP/1.1\r\nHost: localhost\r\n${chunked}\r\n${chunk}`)
    await client.until(/\}$/)
    for (let round = 0; round < 10; round += 1) {
      client.write(chunk)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.equal(ended, false)
    client.write('0\r\n\r\n')
    assert.match(await client.closed, /^HTTP\/1\.1 413 /)
    assert.deepEqual([ended, broken], [true, undefined])
  },
)

test(
  'a client that never stops sending is no longer read, and cut after its answer',
  bounded,
  async (t) => {
    const listener = await running(t, { ...small, lingerMs: 300, lingerBytesMax: 100_000 })
    const client = rawClient(listener)
    const size = 64 << 20
    client.write(`POST / HTTP/1.1\r\nHost: localhost\r\n${chunked}\r\n${size.toString(16)}\r\n`)
    let flushed = false
    client.socket.write(Buffer.alloc(size), (error) => (flushed = !error))
    assert.match(await client.closed, /^HTTP\/1\.1 413 /)
    assert.equal(flushed, false, 'more than any socket buffer holds was taken')
  },
)

test('nothing behind a refusal is looked at', bounded, async (t) => {
  const listener = await running(t, small)
  const client = rawClient(listener)
  client.write(post('x'.repeat(1001)) + post('{}'))
  const received = await client.closed
  assert.equal(received.match(/HTTP\/1\.1/g)?.length, 1)
  assert.equal(listener.seen.length, 0)
})

test('a target that is not a path is refused', bounded, async (t) => {
  const listener = await running(t)
  for (const target of ['http://localhost/', '*', 'localhost:80']) {
    const client = rawClient(listener)
    client.write(
      `${target === '*' ? 'OPTIONS' : 'POST'} ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    )
    // The parser takes `localhost:80` for no target at all.
    const says = target === 'localhost:80' ? '' : '"IncompleteSignatureException",[^]*origin form'
    assert.match(await client.closed, new RegExp(`^HTTP/1\\.1 400 [^]*${says}`), target)
  }
  assert.equal(listener.seen.length, 0)
})

test('Expect, Upgrade and CONNECT are refused, each in its words', bounded, async (t) => {
  const listener = await running(t)
  const refusals = [
    [post('', 'Expect: 100-continue\r\n'), /^HTTP\/1\.1 417 [^]*Expect header is not supported/],
    [post('', 'Expect: miracles\r\n'), /^HTTP\/1\.1 417 [^]*Expect header is not supported/],
    [post('', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'), /^HTTP\/1\.1 400 [^]*upgrades are not/],
    ['CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', /^HTTP\/1\.1 405 /],
  ] as const
  for (const [bytes, expected] of refusals) {
    const client = rawClient(listener)
    client.write(bytes)
    const received = await client.closed
    assert.match(received, expected)
    assert.ok(!received.includes('100 Continue'))
  }
  assert.equal(listener.seen.length, 0)
})

test("nothing behind a CONNECT reaches another client's connection", bounded, async (t) => {
  const listener = await running(t, { lingerMs: 10_000 })
  const where = { host: '127.0.0.1', port: listener.port }
  const attacker = connect({ ...where, allowHalfOpen: true })
  attacker.write('CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n')
  await once(attacker, 'data')
  // Node gives the parser of the CONNECT to the next connection.
  const client = rawClient(listener)
  client.write(post('abc'))
  await client.until(/ok 3$/)
  await new Promise((resolve) => attacker.write(post('injected'), resolve))
  client.write(post('abcdef'))
  await client.until(/ok 6$/)
  const bodies = listener.seen.map(({ body }) => body.toString())
  assert.deepEqual(bodies, ['abc', 'abcdef'])
  assert.equal(client.received().split('HTTP/1.1 200').length - 1, 2)
  attacker.destroy()
  client.socket.destroy()
})

test('what is not HTTP is a 400 that says no more', bounded, async (t) => {
  const listener = await running(t)
  const double = 'Content-Length: 1\r\nContent-Length: 2\r\n'
  const malformed = [
    'nonsense\r\n\r\n',
    'POST / HTTP/1.1\r\nno colon\r\n\r\n',
    'POST /a b HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /\u1234 HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nX-Folded: a\r\n b\r\n\r\n',
    post('a', double),
    post('1\r\na\r\n0\r\n\r\n', `Content-Length: 11\r\n${chunked}`),
    post('x\r\n\r\n', chunked),
  ]
  for (const bytes of malformed) {
    const client = rawClient(listener)
    client.write(bytes)
    const received = await client.closed
    if (received !== '')
      assert.match(received, /^HTTP\/1\.1 400 Bad Request\r\n[^]*\r\n\r\n$/, bytes)
  }
  const noHost = rawClient(listener)
  noHost.write('POST / HTTP/1.1\r\n\r\n')
  assert.match(await noHost.closed, /^HTTP\/1\.1 400 /)
  assert.equal(listener.seen.length, 0)
})

test(
  'headers are bounded in bytes and in number, and none is dropped in silence',
  bounded,
  async (t) => {
    const listener = await running(t, { headersMax: 2000 })
    const many = (count: number): string => 'x:\r\n'.repeat(count)
    const client = rawClient(listener)
    client.write(post('', many(1998)))
    await client.until(/ok 0$/)
    assert.equal(listener.seen[0]?.rawHeaders.length, 4000)
    client.socket.destroy()
    const tooMany = rawClient(listener)
    tooMany.write(post('', many(1999)))
    assert.match(await tooMany.closed, /^HTTP\/1\.1 431 /)
    const tooLong = rawClient(listener)
    tooLong.write(post('', `X-Long: ${'x'.repeat(32 * 1024)}\r\n`))
    assert.match(await tooLong.closed, /^HTTP\/1\.1 431 /)
    assert.equal(listener.seen.length, 1)
  },
)

test(
  'a client that stalls is cut: before its headers, in them, in its body, and idle',
  bounded,
  async (t) => {
    const listener = await running(t, { headersMs: 40, requestMs: 80, idleMs: 40, lingerMs: 20 })
    const silent = rawClient(listener)
    const inHeaders = rawClient(listener)
    inHeaders.write('POST / HTTP/1.1\r\nHost: localhost\r\nX-A')
    const inBody = rawClient(listener)
    inBody.write(post('{', 'Content-Length: 10\r\n'))
    const idle = rawClient(listener)
    idle.write(post('done'))
    assert.match(await silent.closed, /^(HTTP\/1\.1 408 [^]*)?$/)
    assert.match(await inHeaders.closed, /^HTTP\/1\.1 408 /)
    assert.equal(await inBody.closed, '')
    assert.match(await idle.closed, /ok 4$/)
    assert.equal(listener.seen.length, 1)
  },
)

test('a client that drips its headers is cut all the same', bounded, async (t) => {
  const listener = await running(t, { headersMs: 60, requestMs: 120, lingerMs: 20 })
  const client = rawClient(listener)
  client.write('POST / HTTP/1.1\r\n')
  const drip = setInterval(() => client.write('X-A: b\r\n'), 5)
  t.after(() => clearInterval(drip))
  await client.closed
  assert.equal(listener.seen.length, 0)
})

test('a client that does not read its answer is cut', bounded, async (t) => {
  const large = Buffer.alloc(32 << 20)
  const listener = await running(t, { stallMs: 50 }, async () => ({
    status: 200,
    headers: {},
    body: large,
  }))
  const client = rawClient(listener)
  client.write(post(''))
  await once(client.socket, 'data')
  client.socket.pause()
  await new Promise<void>((resolve) => {
    listener.seen[0]?.signal.addEventListener('abort', () => resolve())
  })
  client.socket.destroy()
})
