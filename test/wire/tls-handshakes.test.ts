/**
 * What a listener with TLS takes from `openssl s_client`: each version, suite and group, with an ECDSA
 * certificate and with an RSA one. What it refuses, a server of Node takes from the same client, with the same
 * certificate. Many installed versions of OpenSSL lack X25519MLKEM768: Node's client negotiates that group in
 * `tls.test.ts`.
 * @module
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createServer, type TlsOptions } from 'node:tls'
import { certified } from './certificate.ts'
import { running } from './running-listener.ts'
import { filesOf, own, sClient } from './tls-client.ts'

const bounded = { timeout: 60_000 }
const certificates = { ECDSA: own, RSA: await certified('localhost', {}, 2048) }
type Kind = keyof typeof certificates
const kinds = Object.keys(certificates) as Kind[]

interface Server {
  readonly port: number
}

function trent(t: TestContext, kind: Kind): Promise<Server> {
  return running(t, {}, undefined, {
    host: '127.0.0.1',
    port: 0,
    tls: filesOf(certificates[kind]),
  })
}

/** A server of Node, by default with the options of Node. */
async function node(t: TestContext, kind: Kind, options: TlsOptions = {}): Promise<Server> {
  const { cert, key } = certificates[kind]
  const server = createServer({ cert, key, ...options }, (socket) => {
    socket.on('error', () => undefined).resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return server.address() as AddressInfo
}

/** Whatever the OpenSSL of Node has. */
const lenient: TlsOptions = {
  minVersion: 'TLSv1',
  ciphers: 'TLS_AES_128_CCM_SHA256:ALL:eNULL:@SECLEVEL=0',
  dhparam: 'auto',
}

interface Outcome {
  readonly suite: string | undefined
  readonly group: string | undefined
  /** The number of the alert that the server has sent. */
  readonly alert: string | undefined
}

async function tried(server: Server, options: readonly string[]): Promise<Outcome> {
  const said = await sClient(server, options)
  const found = (pattern: RegExp): string | undefined => pattern.exec(said)?.[1]
  return {
    suite: found(/^New, [^,]+, Cipher is (?!\(NONE\))(\S+)$/m),
    group: found(/^(?:Server|Peer) Temp Key: (?:ECDH, )?([^,\n]+)/m),
    alert: found(/SSL alert number (\d+)/),
  }
}

const handshakeFailure = '40'
const protocolVersion = '70'

/** Trent sends `alert` for what the server of Node takes. */
async function requireRefused(
  by: Server,
  taker: Server,
  options: readonly string[],
  alert = handshakeFailure,
): Promise<void> {
  const what = options.join(' ')
  const there = await tried(taker, options)
  assert.ok(there.suite !== undefined && there.alert === undefined, `Node takes ${what}`)
  const here = await tried(by, options)
  assert.deepEqual([here.suite, here.alert], [undefined, alert], what)
}

test('TLS 1.2 and 1.3 are taken; 1.0 and 1.1 are refused', bounded, async (t) => {
  for (const kind of kinds) {
    const listener = await trent(t, kind)
    const first = await tried(listener, ['-tls1_3'])
    assert.equal(first.suite, 'TLS_AES_128_GCM_SHA256')
    const second = await tried(listener, ['-tls1_2'])
    assert.equal(second.suite, `ECDHE-${kind}-AES128-GCM-SHA256`)
    const taker = await node(t, kind, lenient)
    for (const version of ['-tls1', '-tls1_1']) {
      const options = [version, '-cipher', 'ALL:@SECLEVEL=0']
      await requireRefused(listener, taker, options, protocolVersion)
    }
  }
})

test('each suite of TLS 1.2 and 1.3 that Trent has is taken', bounded, async (t) => {
  for (const kind of kinds) {
    const listener = await trent(t, kind)
    for (const suite of [
      'TLS_AES_128_GCM_SHA256',
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
    ]) {
      const taken = await tried(listener, ['-tls1_3', '-ciphersuites', suite])
      assert.equal(taken.suite, suite, kind)
    }
    for (const strength of ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305']) {
      const suite = `ECDHE-${kind}-${strength}`
      assert.equal((await tried(listener, ['-tls1_2', '-cipher', suite])).suite, suite)
    }
  }
})

/** By the server of Node that takes them: with its own options, or with all that it has. */
const refusedSuites = {
  ECDSA: {
    usual: [
      'ECDHE-ECDSA-AES128-SHA256',
      'ECDHE-ECDSA-AES256-SHA384',
      'ECDHE-ECDSA-AES128-SHA',
      'ECDHE-ECDSA-AES128-CCM',
    ],
    lenient: ['AECDH-AES128-SHA', 'ECDHE-ECDSA-NULL-SHA'],
  },
  RSA: {
    usual: [
      // The key of the certificate opens what was recorded.
      'AES128-GCM-SHA256',
      'AES256-GCM-SHA384',
      'AES128-SHA256',
      'AES256-SHA',
      'ECDHE-RSA-AES128-SHA256',
      'ECDHE-RSA-AES256-SHA384',
      'ECDHE-RSA-AES128-SHA',
    ],
    lenient: [
      'DHE-RSA-AES128-GCM-SHA256',
      'DHE-RSA-CHACHA20-POLY1305',
      'DHE-RSA-AES256-SHA',
      'ADH-AES128-GCM-SHA256',
      'AECDH-AES128-SHA',
      'ECDHE-RSA-NULL-SHA',
      'NULL-SHA256',
    ],
  },
} as const

test('suites without forward secrecy, AEAD or authentication are refused', bounded, async (t) => {
  for (const kind of kinds) {
    const listener = await trent(t, kind)
    const takers = { usual: await node(t, kind), lenient: await node(t, kind, lenient) }
    for (const by of ['usual', 'lenient'] as const) {
      for (const suite of refusedSuites[kind][by]) {
        const options = ['-tls1_2', '-cipher', `${suite}:@SECLEVEL=0`]
        await requireRefused(listener, takers[by], options)
      }
    }
    const ccm = ['-tls1_3', '-ciphersuites', 'TLS_AES_128_CCM_SHA256']
    await requireRefused(listener, takers.lenient, ccm)
  }
})

test('X25519, P-256 and P-384 are taken; other groups are refused', bounded, async (t) => {
  for (const [version, kind] of [
    ['-tls1_3', 'ECDSA'],
    ['-tls1_3', 'RSA'],
    // With an ECDSA certificate, a client of TLS 1.2 must offer the certificate's group too.
    ['-tls1_2', 'RSA'],
  ] as const) {
    const listener = await trent(t, kind)
    for (const [group, name] of [
      ['X25519', /^X25519$/],
      ['P-256', /^(P-256|prime256v1)$/],
      ['P-384', /^(P-384|secp384r1)$/],
    ] as const) {
      const taken = await tried(listener, [version, '-groups', group])
      assert.match(taken.group ?? 'none', name, `${version} ${kind}`)
    }
    const taker = await node(t, kind)
    const others = ['P-521', 'X448', ...(version === '-tls1_3' ? ['ffdhe2048'] : [])]
    for (const group of others) await requireRefused(listener, taker, [version, '-groups', group])
  }
})
