import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { originOf, parseProxies, trusting } from '../../src/wire/proxies.ts'
import { proxyV2 } from './proxy-v2.ts'
import { post, rawClient } from './raw-client.ts'
import { running } from './running-listener.ts'

const bounded = { timeout: 30_000 }
const isTrusted = trusting(parseProxies('10.0.0.0/8, 192.0.2.9, fd00::/8'))

/** `address` and whether it counts as secure, of a request that came from `from`. */
function origin(
  headers: readonly (readonly [string, string])[],
  from = '10.0.0.1',
  secure = false,
): string {
  const connection = { address: from, source: from, secure }
  const found = originOf(connection, headers.flat(), isTrusted)
  return found === undefined ? 'refused' : `${found.address} ${found.secure}`
}
const from = (value: string): readonly [string, string] => ['X-Forwarded-For', value]
const by = (value: string): readonly [string, string] => ['x-forwarded-proto', value]

test('only a listed proxy is believed', () => {
  const headers = [from('203.0.113.7'), by('https')]
  assert.equal(origin(headers), '203.0.113.7 true')
  assert.equal(origin(headers, '192.0.2.9'), '203.0.113.7 true')
  assert.equal(origin(headers, 'fd00::1'), '203.0.113.7 true')
  for (const stranger of ['192.0.2.8', '203.0.113.1', '127.0.0.1', '::1', '']) {
    assert.equal(origin(headers, stranger), `${stranger} false`)
  }
})

test('the last address that no trusted proxy has is the client, whatever stands before it', () => {
  assert.equal(origin([from('198.51.100.1, 203.0.113.7')]), '203.0.113.7 false')
  assert.equal(origin([from('198.51.100.1, 203.0.113.7, 10.0.0.2, 10.9.9.9')]), '203.0.113.7 false')
  assert.equal(
    origin([from('127.0.0.1'), from('203.0.113.7'), from('10.0.0.2')]),
    '203.0.113.7 false',
  )
  assert.equal(origin([from('garbage, 203.0.113.7')]), '203.0.113.7 false')
  // All the way trusted: the first of them.
  assert.equal(origin([from('10.0.0.3, 10.0.0.2')]), '10.0.0.3 false')
})

test('ports, brackets and spellings of an address are understood', () => {
  for (const [written, read] of [
    ['203.0.113.7:51234', '203.0.113.7'],
    ['[2001:DB8::7]:443', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['2001:db8:0::7', '2001:db8::7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['  203.0.113.7\t', '203.0.113.7'],
  ] as const) {
    assert.equal(origin([from(written)]), `${read} false`, written)
  }
})

test('a source that is no address is refused, not taken for the proxy', () => {
  for (const written of [
    'unknown',
    '',
    '203.0.113.7,',
    'a.example',
    '203.0.113',
    '_hidden',
    'unix:',
  ]) {
    assert.equal(origin([from(written)]), 'refused', written)
  }
  assert.equal(origin([from('10.0.0.2,'.repeat(3000).slice(0, -1))]), 'refused')
})

test('a proxy that calls for itself is itself', () => {
  assert.equal(origin([]), '10.0.0.1 false')
  assert.equal(origin([], '10.0.0.1', true), '10.0.0.1 true')
})

test('secure is what the proxy says of its client', () => {
  const client = from('203.0.113.7')
  assert.equal(origin([client, by('https')]), '203.0.113.7 true')
  assert.equal(origin([client, by('HTTPS')]), '203.0.113.7 true')
  for (const scheme of ['http', '', 'https,http', 'http, https', 'wss', 'https https']) {
    assert.equal(origin([client, by(scheme)]), '203.0.113.7 false', scheme)
    assert.equal(origin([client, by(scheme)], '10.0.0.1', true), '203.0.113.7 false', scheme)
  }
  assert.equal(origin([client, by('https'), by('http')]), '203.0.113.7 false')
  assert.equal(origin([client]), '203.0.113.7 false')
  // The proxy's own connection to this server says nothing of its client's.
  assert.equal(origin([client], '10.0.0.1', true), '203.0.113.7 false')
})

test('lists of proxies are addresses and networks, and never everybody', () => {
  assert.deepEqual(parseProxies('10.0.0.5,10.1.0.0/16, fd00::/8'), [
    '10.0.0.5',
    '10.1.0.0/16',
    'fd00::/8',
  ])
  for (const wrong of [
    '10.0.0.0/33',
    '10.0.0.0/0',
    '::/0',
    'fd00::/129',
    'proxy.example',
    '10.0.0.5,',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    'fe80::1%eth0',
    Array.from({ length: 65 }, () => '10.0.0.1').join(','),
  ]) {
    assert.throws(() => parseProxies(wrong), RangeError, wrong)
  }
})

const trusted = { trustedProxies: ['127.0.0.1'] }

test('a request through a listed proxy comes from its client', bounded, async (t) => {
  const listener = await running(t, trusted)
  const proxy = rawClient(listener)
  proxy.write(post('a', 'X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n'))
  await proxy.until(/ok 1$/)
  proxy.write(post('b', 'X-Forwarded-For: 203.0.113.8\r\nX-Forwarded-Proto: http\r\n'))
  await proxy.until(/ok 1[^]*ok 1$/)
  const direct = rawClient({ port: listener.port, localAddress: '127.0.0.2' })
  direct.write(post('c', 'X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: http\r\n'))
  await direct.until(/ok 1$/)
  assert.deepEqual(
    listener.seen.map(({ remoteAddress, secure }) => [remoteAddress, secure]),
    [
      ['203.0.113.7', true],
      ['203.0.113.8', false],
      ['127.0.0.2', true],
    ],
  )
  const unclear = rawClient(listener)
  unclear.write(post('d', 'X-Forwarded-For: unknown\r\n'))
  assert.match(await unclear.closed, /^HTTP\/1\.1 400 [^]*not an address/)
  assert.equal(listener.seen.length, 3)
  for (const { socket } of [proxy, direct]) socket.destroy()
})

test('a connection begins with a PROXY header from a listed proxy only', bounded, async (t) => {
  const listener = await running(t, trusted)
  const line = 'PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n'
  const inOne = rawClient(listener)
  inOne.write(line + post('a'))
  await inOne.until(/ok 1$/)
  const inPieces = rawClient(listener)
  const binary = Buffer.concat([
    proxyV2({ address: '2001:db8::7', tls: 1 }),
    Buffer.from(post('b')),
  ])
  for (const byte of binary) {
    inPieces.write(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await inPieces.until(/ok 1$/)
  const local = rawClient(listener)
  local.write(Buffer.concat([proxyV2({ command: 0x20, family: 0 }), Buffer.from(post('c'))]))
  await local.until(/ok 1$/)
  const unknown = rawClient(listener)
  unknown.write(`PROXY UNKNOWN\r\n${post('d')}`)
  await unknown.until(/ok 1$/)
  // A client that came through a proxy of the other kind cannot add what only that one may say.
  const claiming = rawClient(listener)
  claiming.write(line + post('e', 'X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n'))
  await claiming.until(/ok 1$/)
  assert.deepEqual(
    listener.seen.map(({ remoteAddress, secure }) => [remoteAddress, secure]),
    [
      ['203.0.113.7', false],
      ['2001:db8::7', true],
      ['127.0.0.1', true],
      ['127.0.0.1', false],
      ['203.0.113.7', false],
    ],
  )
  const stranger = rawClient({ port: listener.port, localAddress: '127.0.0.2' })
  stranger.write(line + post('f'))
  assert.match(await stranger.closed, /^HTTP\/1\.1 400 /)
  const malformed = rawClient(listener)
  malformed.write(`PROXY TCP4 nobody 127.0.0.1 1 2\r\n${post('g')}`)
  assert.match(await malformed.closed, /^HTTP\/1\.1 400 /)
  assert.equal(listener.seen.length, 5)
  for (const { socket } of [inOne, inPieces, local, unknown, claiming]) socket.destroy()
})

test('clients behind a proxy are counted apart, and the proxy is not', bounded, async (t) => {
  const limits = { connectionsPerSourceMax: 2, requestsPerSourceMax: 2, lingerMs: 20 }
  const waiting = Promise.withResolvers<void>()
  const listener = await running(t, { ...limits, ...trusted }, async () => {
    await waiting.promise
    return { status: 200, headers: {}, body: 'ok' }
  })
  const through = (address: string): ReturnType<typeof rawClient> => {
    const client = rawClient(listener)
    client.write(post('', `X-Forwarded-For: ${address}\r\n`))
    return client
  }
  const one = [through('203.0.113.1'), through('203.0.113.1')]
  await reached(2)
  assert.match(await through('203.0.113.1').closed, /^HTTP\/1\.1 503 /)
  const others = ['203.0.113.2', '203.0.113.3', '203.0.113.4'].map(through)
  await reached(5)
  // By the other protocol the connections themselves are the client's.
  const header = (address: string): string => `PROXY TCP4 ${address} 127.0.0.1 1 2\r\n`
  const proxied = Array.from({ length: 3 }, () => rawClient(listener))
  for (const client of proxied) {
    client.write(`${header('203.0.113.9')}POST`)
    await once(client.socket, 'connect')
  }
  assert.equal(await proxied[0]?.closed, '')
  waiting.resolve()
  await Promise.all([...one, ...others].map((client) => client.until(/ok$/)))
  for (const { socket } of [...one, ...others, ...proxied]) socket.destroy()

  async function reached(count: number): Promise<void> {
    while (listener.seen.length < count) await new Promise((resolve) => setImmediate(resolve))
  }
})
