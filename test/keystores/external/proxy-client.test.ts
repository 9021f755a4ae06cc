/** The client of a proxy by itself: where it connects, and how a call ends. @module */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { connect, type SecureVersion, type TLSSocket } from 'node:tls'
import {
  createProxyClient,
  type ProxyClientSettings,
} from '../../../src/keystores/external/proxy-client.ts'
import { ProxyFailure } from '../../../src/keystores/external/proxy-failure.ts'
import { PrivateAddress } from '../../../src/model/public-address.ts'
import { certified } from '../../wire/certificate.ts'
import { proxyHost } from './fake-proxy.ts'
import { letProxiesBeLate } from './patience.ts'

const { signal } = new AbortController()
const signingSecret = createSecretKey(Buffer.alloc(32))
const proxyAt = (endpoint: string) => ({
  endpoint,
  path: '/kms/xks/v1',
  region: 'us-west-2',
  accessKeyId: 'ABCDEFGHIJKLMNOPQRST',
  signingSecret,
})

function clientOf(t: TestContext, settings: Partial<ProxyClientSettings> = {}) {
  const client = createProxyClient({ endpoints: new Map(), authorities: [], ...settings }, Date.now)
  t.after(() => client.close())
  return client
}

async function failureOf(call: Promise<unknown>): Promise<ProxyFailure> {
  const error: unknown = await call.then(
    () => assert.fail('the call succeeds'),
    (reason: unknown) => reason,
  )
  assert(error instanceof ProxyFailure, String(error))
  return error
}

test('no connection goes to a private address, by number or by name', async (t) => {
  const client = clientOf(t)
  let sockets = 0
  const count = (): void => void (sockets += 1)
  diagnostics.subscribe('net.client.socket', count)
  t.after(() => diagnostics.unsubscribe('net.client.socket', count))
  for (const host of ['127.0.0.1', '10.0.0.7', '169.254.169.254']) {
    const { kind } = await failureOf(client.call(proxyAt(`https://${host}`), 'health', {}, signal))
    assert.equal(kind, 'XksProxyUnreachable', host)
  }
  assert.equal(sockets, 0)
  // The resolver reads the second as a number: 127.0.0.1.
  for (const host of ['localhost', '2130706433']) {
    const { kind, cause } = await failureOf(
      client.call(proxyAt(`https://${host}`), 'health', {}, signal),
    )
    assert.equal(kind, 'XksProxyUnreachable', host)
    assert(cause instanceof PrivateAddress, host)
  }
})

/** A proxy that answers with these bytes, and then closes the connection. */
async function answering(t: TestContext, bytesOf: (request: number) => string) {
  const { key, cert, authority } = await certified(proxyHost)
  let requests = 0
  const server = createServer({ key, cert }, (request) => {
    requests += 1
    request.socket.write(bytesOf(requests))
    // The client has the bytes before the reset.
    if (requests > 1) setTimeout(() => raw?.resetAndDestroy(), 50)
  })
  let raw: Socket | undefined
  server.on('connection', (socket: Socket) => {
    raw = socket
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const endpoints = new Map([[proxyHost, { host: '127.0.0.1', port }]])
  return { client: clientOf(t, { endpoints, authorities: [authority] }), made: () => requests }
}

test('an answer that has begun is not asked for again', async (t) => {
  const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'
  const begun = 'HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{'
  const { client, made } = await answering(t, (request) => (request === 1 ? whole : begun))
  const call = () => client.call(proxyAt(`https://${proxyHost}`), 'health', {}, signal)
  assert.deepEqual({ ...(await call()) }, {})
  const { kind } = await failureOf(call())
  assert.notEqual(kind, 'XksProxyTimeout')
  assert.equal(made(), 2)
})

test('an answer that switches protocols ends the call', async (t) => {
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'
  const { client } = await answering(t, () => switching)
  const call = client.call(proxyAt(`https://${proxyHost}`), 'health', {}, signal)
  assert.equal((await failureOf(call)).kind, 'XksProxyInvalidResponse')
})

/** Suites by the names of OpenSSL, each with the kind of key that it needs. */
type Offer = readonly [version: SecureVersion, suite: string, key: 'ec' | 'rsa']

const required: readonly Offer[] = [
  ['TLSv1.3', 'TLS_AES_256_GCM_SHA384', 'ec'],
  ['TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256', 'ec'],
  ['TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ec'],
  ['TLSv1.2', 'ECDHE-RSA-AES256-GCM-SHA384', 'rsa'],
]

const refusedOffers: readonly Offer[] = [
  ['TLSv1.3', 'TLS_AES_128_GCM_SHA256', 'ec'],
  ['TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ec'],
  ['TLSv1.2', 'ECDHE-RSA-AES128-GCM-SHA256', 'rsa'],
  ['TLSv1.2', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'ec'],
  ['TLSv1.2', 'ECDHE-RSA-AES256-SHA384', 'rsa'],
  ['TLSv1.2', 'AES256-GCM-SHA384', 'rsa'],
  ['TLSv1.1', 'ECDHE-RSA-AES256-SHA@SECLEVEL=0', 'rsa'],
]

test('a proxy is asked over TLS 1.2 and 1.3 with the suites of the specification only', async (t) => {
  letProxiesBeLate(t)
  const certificates = {
    ec: await certified(proxyHost),
    rsa: await certified(proxyHost, {}, 2048),
  }
  let asked: string | undefined
  const server = createServer((request, response) => {
    const socket = request.socket as TLSSocket
    asked = `${socket.getProtocol()} ${socket.getCipher().name}`
    response.writeHead(200, { Connection: 'close' }).end('{}')
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const offer = ([version, ciphers, kind]: Offer) => {
    const { key, cert } = certificates[kind]
    const only = { ciphers, minVersion: version, maxVersion: version }
    server.setSecureContext({ key, cert, ...only })
    return only
  }
  const authorities = Object.values(certificates).map(({ authority }) => authority)
  const client = clientOf(t, {
    endpoints: new Map([[proxyHost, { host: '127.0.0.1', port }]]),
    authorities,
  })
  const call = () => client.call(proxyAt(`https://${proxyHost}`), 'health', {}, signal)
  for (const each of required) {
    offer(each)
    await call()
    assert.equal(asked, each.slice(0, 2).join(' '))
  }
  for (const each of refusedOffers) {
    const only = offer(each)
    asked = undefined
    assert.equal((await failureOf(call())).kind, 'XksProxyTls', each.join(' '))
    assert.equal(asked, undefined)
    // The proxy works: who takes its suite is served.
    const other = connect({
      host: '127.0.0.1',
      port,
      ca: authorities,
      servername: proxyHost,
      ...only,
    })
    await once(other, 'secureConnect')
    assert.equal(other.getCipher().name, each[1].split('@')[0])
    other.destroy()
  }
})
