/** What a listener with TLS negotiates first, and how its certificates change. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { post } from './raw-client.ts'
import { asked, filesOf, listening, other, own, sClient, secured } from './tls-client.ts'

const bounded = { timeout: 30_000 }

test(
  'a call over TLS is secure, and its record can name what was negotiated',
  bounded,
  async (t) => {
    const listener = await listening(t)
    for (const [maxVersion, ciphers, expected] of [
      ['TLSv1.3', undefined, { version: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' }],
      ['TLSv1.2', undefined, { version: 'TLSv1.2', cipherSuite: 'ECDHE-ECDSA-AES128-GCM-SHA256' }],
      [
        'TLSv1.2',
        'ECDHE-ECDSA-CHACHA20-POLY1305',
        { version: 'TLSv1.2', cipherSuite: 'ECDHE-ECDSA-CHACHA20-POLY1305' },
      ],
    ] as const) {
      const socket = await secured(listener, { maxVersion, ...(ciphers && { ciphers }) })
      assert.match(await asked(socket, 'hello'), /^HTTP\/1\.1 200 OK\r\n[^]*ok 5$/)
      socket.destroy()
      const seen = listener.seen.at(-1)
      assert.deepEqual(seen?.tls, expected)
      assert.equal(seen?.secure, true)
      assert.equal(seen?.remoteAddress, '127.0.0.1')
    }
  },
)

test(
  'the hybrid post-quantum group comes first, and classical clients get theirs',
  bounded,
  async (t) => {
    const listener = await listening(t)
    const groupOf = async (ecdhCurve?: string): Promise<string | undefined> => {
      const socket = await secured(listener, ecdhCurve === undefined ? {} : { ecdhCurve })
      const { name } = socket.getEphemeralKeyInfo() as { readonly name?: string }
      socket.destroy()
      return name
    }
    assert.equal(await groupOf(), 'X25519MLKEM768', 'what Node offers first')
    assert.equal(await groupOf('X25519MLKEM768'), 'X25519MLKEM768')
    assert.equal(await groupOf('P-256:X25519MLKEM768'), 'X25519MLKEM768')
    assert.equal(await groupOf('X25519'), 'X25519')
    assert.equal(await groupOf('P-256'), 'prime256v1')
    assert.equal(await groupOf('P-384'), 'secp384r1')
    await assert.rejects(groupOf('P-521'), /handshake failure|alert/)
  },
)

test('only HTTP/1.1 is negotiated', bounded, async (t) => {
  const listener = await listening(t)
  const socket = await secured(listener, { ALPNProtocols: ['h2', 'http/1.1'] })
  assert.equal(socket.alpnProtocol, 'http/1.1')
  assert.match(await asked(socket, 'x'), /ok 1$/)
  socket.destroy()
  await assert.rejects(
    secured(listener, { ALPNProtocols: ['h2'] }),
    /no application protocol|alert/,
  )
})

test('openssl: no renegotiation, no ticket, no compression', bounded, async (t) => {
  const listener = await listening(t)
  const renegotiated = await sClient(listener, ['-tls1_2'], 'R\n')
  assert.match(renegotiated, /Cipher is ECDHE-ECDSA-AES/)
  assert.match(renegotiated, /Secure Renegotiation IS supported/)
  assert.match(renegotiated, /no renegotiation/)
  assert.match(renegotiated, /Compression: NONE/)
  assert.doesNotMatch(renegotiated, /session ticket/)
  const folder = mkdtempSync(join(tmpdir(), 'trent-tls-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const session = join(folder, 'session')
  for (const version of ['-tls1_2', '-tls1_3']) {
    await sClient(
      listener,
      [version, '-sess_out', session, '-ign_eof'],
      post('', 'Connection: close\r\n'),
    )
    const again = await sClient(listener, [version, '-sess_in', session])
    assert.match(again, /\nNew, TLSv1\.[23], Cipher is /, version)
    assert.doesNotMatch(again, /Reused/, version)
  }
})

test('other certificates serve new connections, and open ones continue', bounded, async (t) => {
  const listener = await listening(t)
  const socket = await secured(listener)
  assert.match(await asked(socket, 'a'), /ok 1$/)
  listener.useTls(filesOf(other))
  assert.match(await asked(socket, 'bb'), /ok 2$/)
  await assert.rejects(secured(listener), /unable to verify|self-signed|signature/)
  const later = await secured(listener, { ca: other.authority })
  assert.match(await asked(later, 'ccc'), /ok 3$/)
  // A pair that does not fit leaves everything as it is.
  assert.throws(() => listener.useTls(filesOf({ ...other, cert: own.cert })), /key values mismatch/)
  const last = await secured(listener, { ca: other.authority })
  assert.match(await asked(last, 'dddd'), /ok 4$/)
  assert.match(await asked(socket, 'eeeee'), /ok 5$/)
  for (const each of [socket, later, last]) each.destroy()
})

test('with authorities of clients, only clients of theirs get through', bounded, async (t) => {
  const listener = await listening(t, {}, undefined, other.authority)
  const known = await secured(listener, { cert: other.cert, key: other.key })
  assert.match(await asked(known, 'x'), /ok 1$/)
  known.destroy()
  for (const given of [{}, { cert: own.cert, key: own.key }]) {
    const refused = await secured(listener, given).then(
      (socket) => asked(socket, 'x'),
      () => '',
    )
    assert.equal(refused, '')
  }
  assert.equal(listener.seen.length, 1)
})
