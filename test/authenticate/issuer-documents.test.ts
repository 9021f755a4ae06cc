/** What identity providers publish is fetched within limits, and never from where it may not be. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { isPublicAddress } from '../../src/model/public-address.ts'
import {
  createFetchDocument as createFetch,
  DocumentFailed,
  documentBytesMax,
  mayAsk,
} from '../../src/authenticate/issuer-documents.ts'
import { certified } from '../wire/certificate.ts'
import { startIssuer } from './issuer.ts'

const issuer = await startIssuer()
after(() => issuer.close())
function createFetchDocument(hosts: ReadonlySet<string>) {
  const fetchDocument = createFetch(hosts)
  return (url: string, thumbprints: readonly string[], ms = 5000): Promise<unknown> =>
    fetchDocument(url, thumbprints, AbortSignal.timeout(ms))
}

const allowed = createFetchDocument(new Set([issuer.host]))
const fetched = (): Promise<unknown> => allowed(issuer.url, [])

async function refused(call: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert(error instanceof DocumentFailed)
    assert.match(error.message, message)
    return true
  })
}

test('a document is fetched whole', async () => {
  assert.deepEqual(
    { ...((await fetched()) as object) },
    { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` },
  )
})

test('redirects, failures, encodings, what is no JSON and what is too long are refused', async (t) => {
  t.after(() => issuer.answer(undefined))
  issuer.answer((_, response) => response.writeHead(302, { Location: '/keys' }).end())
  await refused(fetched(), /status 302/)
  issuer.answer((_, response) => response.writeHead(500).end())
  await refused(fetched(), /status 500/)
  issuer.answer((_, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end())
  await refused(fetched(), /an encoding/)
  issuer.answer((_, response) => response.end('<html>'))
  await refused(fetched(), /not JSON/)
  issuer.answer((_, response) => response.end(Buffer.from([0x22, 0xff, 0x22])))
  await refused(fetched(), /not JSON/)
  let sent = 0
  issuer.answer((_, response) => {
    const piece = Buffer.alloc(64 * 1024, ' ')
    const more = (): void => {
      while (!response.destroyed && response.write(piece)) sent += piece.length
    }
    response.on('drain', more)
    more()
  })
  await refused(fetched(), /too long/)
  assert(sent < 200 * documentBytesMax, `${sent} bytes of an endless document`)
})

test('a provider that says nothing is not waited for', async (t) => {
  t.after(() => issuer.answer(undefined))
  issuer.answer(() => undefined)
  const from = performance.now()
  await refused(allowed(issuer.url, [], 300), /abort|timeout/i)
  assert(performance.now() - from >= 250)
})

test('a private address is asked only where the settings name the host', async () => {
  const fetchDocument = createFetchDocument(new Set())
  const { port } = new URL(issuer.url)
  await refused(fetchDocument(issuer.url, []), /may not be asked/)
  for (const host of ['127.0.0.1', '10.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254']) {
    await refused(fetchDocument(`https://${host}:${port}/`, []), /private address/)
  }
  await refused(fetchDocument(`https://localhost:${port}/`, []), /private address/)
  await refused(fetchDocument(`https://2130706433:${port}/`, []), /private address/)
  await refused(allowed('http://example.com/', []), /may not be asked/)
})

test('an issuer leads to its own private host alone, and to public ones', async (t) => {
  const other = await startIssuer()
  t.after(() => other.close())
  const fetchDocument = createFetch(new Set([issuer.host, other.host, 'idp.example']))
  const ask = (url: string, of?: string): Promise<unknown> =>
    fetchDocument(url, [], AbortSignal.timeout(5000), of)
  const keys = `${other.url}/keys`
  const another = /is another host of TRENT_WEB_IDENTITY_HOSTS/
  await ask(keys)
  await ask(keys, other.url)
  await ask(keys, `${other.url}/tenant`)
  const before = other.asked()
  for (const from of [issuer.url, 'https://public.example', 'https://idp.example/a']) {
    await refused(ask(keys, from), another)
  }
  await refused(ask('https://idp.example/keys', issuer.url), another)
  // The same name at another port is another host.
  await refused(ask(keys, other.url.replace(/:\d+$/, ':1')), another)
  assert.equal(other.asked(), before)
})

test('HTTP is for named hosts of this machine alone', () => {
  const hosts = new Set(['localhost:1', '10.0.0.1', '127.0.0.1:2'])
  for (const [url, may] of [
    ['https://example.com/', true],
    ['https://10.0.0.1/', true],
    ['http://localhost:1/', true],
    ['http://127.0.0.1:2/', true],
    ['http://localhost/', false],
    ['http://10.0.0.1/', false],
    ['http://example.com/', false],
    ['https://user:secret@example.com/', false],
    ['ftp://localhost:1/', false],
    ['file:///etc/passwd', false],
  ] as const) {
    assert.equal(mayAsk(new URL(url), hosts), may, url)
  }
})

test('public addresses are told from those of no single place in the world', () => {
  for (const address of ['8.8.8.8', '172.32.0.1', '2606:4700::1111']) {
    assert(isPublicAddress(address), address)
  }
  for (const address of [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.31.255.255',
    '192.168.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    'fc00::1',
    'fe80::1',
    'ff02::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'example.com',
    '',
  ]) {
    assert.equal(isPublicAddress(address), false, address)
  }
})

/** A server on this machine whose certificate an authority of the test's own has signed. */
async function startPinned(name: string): Promise<{ url: string; host: string; print: string }> {
  const { key, cert, authority } = await certified(name)
  const server = createServer({ key, cert }, (_, response) => response.end('{"a":1}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close())
  const host = `localhost:${(server.address() as AddressInfo).port}`
  const print = new X509Certificate(authority).fingerprint
  return { host, url: `https://${host}/`, print: print.replaceAll(':', '').toLowerCase() }
}

test('an authority that the system does not trust is trusted by its thumbprint, for its own names', async () => {
  const { url, host, print } = await startPinned('localhost')
  const fetchDocument = createFetchDocument(new Set([host]))
  assert.deepEqual({ ...((await fetchDocument(url, [print])) as object) }, { a: 1 })
  await refused(fetchDocument(url, []), /self-signed certificate/)
  await refused(fetchDocument(url, ['0'.repeat(40)]), /no certificate has a registered thumbprint/)
  const other = await startPinned('elsewhere.example')
  const named = createFetchDocument(new Set([other.host]))
  await refused(named(other.url, [other.print]), /does not match certificate's altnames/)
})
