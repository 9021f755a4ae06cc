/** What a listener with TLS refuses and limits, before the handshake and in it, and proxies before it. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { proxyV2 } from './proxy-v2.ts'
import { post, rawClient } from './raw-client.ts'
import { answer, type RunningListener } from './running-listener.ts'
import { asked, listening, secured, until } from './tls-client.ts'

const bounded = { timeout: 30_000 }

test('plain HTTP gets no answer from a TLS listener', bounded, async (t) => {
  const listener = await listening(t)
  const client = rawClient(listener)
  client.write(post('x'))
  assert.equal(await client.closed, '')
  assert.equal(listener.seen.length, 0)
})

test('a handshake has a time limit, and the request after it has its own', bounded, async (t) => {
  const listener = await listening(t, { handshakeMs: 300, headersMs: 300 })
  const silent = rawClient(listener)
  const dripping = rawClient(listener)
  const drip = setInterval(() => dripping.write(Buffer.from([0x16])), 50)
  t.after(() => clearInterval(drip))
  assert.equal(await silent.closed, '')
  assert.equal(await dripping.closed, '')
  const socket = await secured(listener)
  socket.write('POST / HTTP/1.1\r\n')
  assert.match(await until(socket, /never/), /^HTTP\/1\.1 408 /)
})

test(
  'a flood of handshakes ends its own oldest, and not the requests of others',
  bounded,
  async (t) => {
    const listener = await listening(t, { handshakesPerSourceMax: 3, handshakesMax: 100 })
    const first = await secured(listener, { localAddress: '127.0.0.2' })
    const half = Array.from({ length: 8 }, () => {
      const client = rawClient({ port: listener.port, localAddress: '127.0.0.3' })
      client.write(Buffer.from([0x16, 3, 1]))
      return client
    })
    const ended = await Promise.all(half.slice(0, 4).map(({ closed }) => closed))
    assert.deepEqual(ended, ['', '', '', ''])
    // The flood's own source still gets through, and so does everyone else.
    const own3 = await secured(listener, { localAddress: '127.0.0.3' })
    assert.match(await asked(own3, 'x'), /ok 1$/)
    assert.match(await asked(first, 'yy'), /ok 2$/)
    for (const each of [first, own3]) each.destroy()
    for (const { socket } of half) socket.destroy()
  },
)

test(
  'connections over TLS are counted by source, and the idle one makes room',
  bounded,
  async (t) => {
    const listener = await listening(t, { connectionsPerSourceMax: 2 })
    const idle = await secured(listener)
    assert.match(await asked(idle, 'a'), /ok 1$/)
    const closed = until(idle, /never/)
    const second = await secured(listener)
    assert.match(await asked(second, 'a'), /ok 1$/)
    const third = await secured(listener)
    await closed
    assert.match(await asked(third, 'b'), /ok 1$/)
    for (const each of [second, third]) each.destroy()
  },
)

test('smuggled and malformed requests are refused over TLS as without', bounded, async (t) => {
  const listener = await listening(t)
  for (const [bytes, expected] of [
    [post('x', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'), /^HTTP\/1\.1 400 /],
    [post('', 'Content-Length: 1\r\nContent-Length: 2\r\n'), /^HTTP\/1\.1 400 /],
    ['POST / HTTP/1.1\nHost: localhost\n\n', /^HTTP\/1\.1 400 /],
    [`POST / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1\.1 405 /],
    ['PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n', /^HTTP\/1\.1 400 /],
  ] as const) {
    const socket = await secured(listener)
    const answered = until(socket, /never/)
    socket.write(`${bytes}${post('smuggled')}`)
    const text = await answered
    assert.match(text, expected)
    assert.doesNotMatch(text, /ok /)
  }
  assert.equal(listener.seen.length, 0)
  const fine = await secured(listener)
  assert.match(await asked(fine, 'x'), /ok 1$/)
  fine.destroy()
})

/** Sends `bytes` in the clear, then begins TLS on the same connection. */
async function behind(listener: RunningListener, bytes: readonly Uint8Array[]): Promise<TLSSocket> {
  const socket = connect({ port: listener.port, host: '127.0.0.1', noDelay: true })
  for (const each of bytes) {
    socket.write(each)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return secured(listener, { socket })
}

test('a PROXY header comes before the handshake, from a listed proxy only', bounded, async (t) => {
  const trusted = { trustedProxies: ['127.0.0.1'] }
  const listener = await listening(t, trusted)
  const line = Buffer.from('PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n')
  const binary = proxyV2({ address: '2001:db8::7' })
  for (const header of [[line], [...line].map((byte) => Buffer.from([byte])), [binary], []]) {
    const socket = await behind(listener, header)
    assert.match(await asked(socket, 'x'), /ok 1$/)
    socket.destroy()
  }
  assert.deepEqual(
    listener.seen.map(({ remoteAddress, secure, tls }) => [remoteAddress, secure, tls?.version]),
    [
      ['203.0.113.7', true, 'TLSv1.3'],
      ['203.0.113.7', true, 'TLSv1.3'],
      ['2001:db8::7', true, 'TLSv1.3'],
      ['127.0.0.1', true, 'TLSv1.3'],
    ],
  )
  const broken = rawClient(listener)
  broken.write('PROXY TCP4 nobody\r\n')
  assert.equal(await broken.closed, '')
  const strict = await listening(t)
  await assert.rejects(behind(strict, [line]))
})

test(
  'what a proxy forwards over TLS is secure only if it says so, and has no TLS of its own',
  bounded,
  async (t) => {
    const listener = await listening(t, { trustedProxies: ['127.0.0.1'] })
    const socket = await secured(listener)
    const client = 'X-Forwarded-For: 203.0.113.7\r\n'
    await asked(socket, 'a', `${client}X-Forwarded-Proto: https\r\n`)
    await asked(socket, 'b', `${client}X-Forwarded-Proto: http\r\n`)
    await asked(socket, 'c', client)
    await asked(socket, 'd')
    socket.destroy()
    assert.deepEqual(
      listener.seen.map(({ remoteAddress, secure, tls }) => [remoteAddress, secure, tls?.version]),
      [
        ['203.0.113.7', true, undefined],
        ['203.0.113.7', false, undefined],
        ['203.0.113.7', false, undefined],
        ['127.0.0.1', true, 'TLSv1.3'],
      ],
    )
  },
)

test('a stop ends half-open handshakes, and lets a request finish', bounded, async (t) => {
  const begun = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const handler = async () => {
    begun.resolve()
    await go.promise
    return answer('ok 1')
  }
  const listener = await listening(t, {}, handler)
  const half = rawClient(listener)
  half.write(Buffer.from([0x16, 3, 1]))
  const socket = await secured(listener)
  const answered = asked(socket, 'x')
  await begun.promise
  const closed = listener.close(5000)
  assert.equal(await half.closed, '')
  go.resolve()
  assert.match(await answered, /Connection: close\r\n[^]*ok 1$/)
  await closed
})
