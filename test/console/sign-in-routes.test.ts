/** The routes by which people sign in with an identity provider: what they take, and how often. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pageHeaders } from '../../src/console/page-headers.ts'
import type { SignInProvider } from '../../src/console/setting.ts'
import { signInRoutes, type ProviderCalls } from '../../src/console/sign-in-routes.ts'
import type { RawRequest, RawResponse } from '../../src/wire/request.ts'
import { asking } from './asked-routes.ts'

const provider: SignInProvider = {
  name: 'Example',
  issuer: 'https://login.example.com',
  clientId: 'trent',
  scope: 'openid',
}
const given = {
  provider: 'Example',
  code: 'a code',
  verifier: 'v'.repeat(43),
  nonce: 'n'.repeat(43),
}
const own = [
  'Host',
  'localhost:4599',
  'Origin',
  'http://localhost:4599',
  'Content-Type',
  'application/json',
]

/** A browser on another machine, over TLS. */
const elsewhere: Partial<RawRequest> = {
  rawHeaders: [
    'Host',
    'kms.example.com',
    'Origin',
    'https://kms.example.com',
    'Content-Type',
    'application/json',
    'Sec-Fetch-Site',
    'same-origin',
  ],
  tls: { version: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' },
}

type Exchanged = Parameters<ProviderCalls['exchange']>

interface SignInAsking {
  readonly exchanged: Exchanged[]
  readonly pass: (ms: number) => void
  readonly ask: (
    path: 'begin' | 'exchange',
    body: unknown,
    changes?: Partial<RawRequest>,
  ) => Promise<RawResponse>
}

function signIns(calls: Partial<ProviderCalls> = {}, providers = [provider]): SignInAsking {
  const exchanged: Exchanged[] = []
  let now = 1_000_000
  const asked = asking(
    signInRoutes({
      providers,
      monotonic: () => now,
      calls: {
        authorizationEndpoint: async ({ issuer }) => ({
          authorizationEndpoint: `${issuer}/authorize`,
        }),
        async exchange(...of) {
          exchanged.push(of)
          return { idToken: 'a token', sessionName: 'alice' }
        },
        ...calls,
      },
    }),
  )
  return {
    exchanged,
    pass: (ms) => {
      now += ms
    },
    ask: (path, body, changes = {}) =>
      asked({
        method: 'POST',
        target: `/console/sign-in/${path}`,
        rawHeaders: own,
        body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
        ...changes,
      }),
  }
}

function messageOf(answer: RawResponse): unknown {
  return Reflect.get(JSON.parse(answer.body.toString()), 'message')
}

test('the page learns where the provider is, and gets the token of its code', async () => {
  const { ask, exchanged } = signIns()
  const begun = await ask('begin', { provider: 'Example' })
  assert.equal(begun.status, 200)
  assert.deepEqual(JSON.parse(begun.body.toString()), {
    authorizationEndpoint: 'https://login.example.com/authorize',
  })
  const answer = await ask('exchange', given)
  assert.equal(answer.status, 200)
  assert.deepEqual(JSON.parse(answer.body.toString()), { idToken: 'a token', sessionName: 'alice' })
  assert.equal(answer.headers['Cache-Control'], 'no-store')
  for (const [name, value] of Object.entries(pageHeaders)) assert.equal(answer.headers[name], value)
  const { code, verifier, nonce } = given
  const redirectUri = 'http://localhost:4599/console/signed-in.html'
  assert.deepEqual(exchanged, [[provider, { code, verifier, nonce, redirectUri }]])
})

test('the redirect URI is of the origin that asks, and no caller can choose another', async () => {
  const { ask, exchanged } = signIns()
  await ask('exchange', { ...given, redirectUri: 'https://evil.example/' })
  await ask('exchange', given, { ...elsewhere, remoteAddress: '192.0.2.1' })
  assert.deepEqual(
    exchanged.map(([, { redirectUri }]) => redirectUri),
    [
      'http://localhost:4599/console/signed-in.html',
      'https://kms.example.com/console/signed-in.html',
    ],
  )
})

test('another origin, another method, another type and a page without TLS are refused', async () => {
  const { ask, exchanged } = signIns()
  const [host, name, originName, origin, typeName, type] = own
  const headers = (...more: readonly (string | undefined)[]): string[] =>
    more.map((each) => each ?? '')
  const status = async (changes: Partial<RawRequest>): Promise<number> =>
    (await ask('exchange', given, changes)).status
  const evil = headers(host, name, originName, 'https://evil.example', typeName, type)
  assert.equal(await status({ rawHeaders: evil }), 403)
  assert.equal(await status({ rawHeaders: headers(host, name, typeName, type) }), 403)
  assert.equal(await status({ rawHeaders: [...own, 'Sec-Fetch-Site', 'cross-site'] }), 403)
  assert.equal(await status({ rawHeaders: [...own, 'Origin', origin ?? ''] }), 403)
  const form = headers(
    host,
    name,
    originName,
    origin,
    typeName,
    'application/x-www-form-urlencoded',
  )
  assert.equal(await status({ rawHeaders: form }), 415)
  assert.equal(await status({ method: 'GET', body: Buffer.alloc(0) }), 405)
  assert.equal(await status({ remoteAddress: '192.0.2.1', secure: false }), 403)
  assert.equal(await status({ body: Buffer.alloc(8 * 1024 + 1, ' ') }), 413)
  assert.deepEqual(exchanged, [])
})

test('what is not a request for a token gets one sentence, and no provider is asked', async () => {
  const { ask, exchanged, pass } = signIns()
  const noName = 'The request does not name an identity provider.'
  const odd = 'The request needs a code, a verifier and a nonce in their right form.'
  const bodies: readonly (readonly [unknown, number, string])[] = [
    ['', 400, noName],
    ['[]', 400, noName],
    ['{"provider":"Example"', 400, noName],
    ['{"provider":"Example","provider":"Example"}', 400, noName],
    [{ ...given, provider: 7 }, 400, noName],
    [{ ...given, provider: '<b>' }, 400, noName],
    [
      { ...given, provider: 'Other' },
      404,
      'The settings of the server name no such identity provider.',
    ],
    [
      { ...given, provider: 'constructor' },
      404,
      'The settings of the server name no such identity provider.',
    ],
    [{ ...given, code: undefined }, 400, odd],
    [{ ...given, code: 'a\u0000' }, 400, odd],
    [{ ...given, code: 'x'.repeat(4097) }, 400, odd],
    [{ ...given, verifier: 'v'.repeat(42) }, 400, odd],
    [{ ...given, verifier: `${'v'.repeat(43)}&` }, 400, odd],
    [{ ...given, nonce: 'n'.repeat(21) }, 400, odd],
    [{ ...given, nonce: 7 }, 400, odd],
    [{ ...given, more: { deep: 1 } }, 400, noName],
  ]
  for (const [body, status, message] of bodies) {
    pass(1000)
    const answer = await ask('exchange', body)
    assert.deepEqual([answer.status, messageOf(answer)], [status, message], JSON.stringify(body))
  }
  assert.deepEqual(exchanged, [])
  assert.equal((await ask('exchange', given)).status, 200)
})

test('what the provider refuses, and what it fails at, reaches the page in a sentence', async () => {
  const refused = { refused: 'The ID token is from another issuer.', status: 403 } as const
  const failed = { refused: 'The identity provider does not answer.', status: 502 } as const
  const { ask } = signIns({
    authorizationEndpoint: async () => failed,
    exchange: async () => refused,
  })
  const begun = await ask('begin', { provider: 'Example' })
  assert.deepEqual([begun.status, messageOf(begun)], [502, failed.refused])
  const answer = await ask('exchange', given)
  assert.deepEqual([answer.status, messageOf(answer)], [403, refused.refused])
})

test('one source asks thirty times and then once a second; other sources are not held up', async () => {
  const { ask, pass } = signIns()
  const from = (remoteAddress: string): Promise<RawResponse> =>
    ask('begin', { provider: 'Example' }, { ...elsewhere, remoteAddress })
  for (let count = 0; count < 30; count += 1) assert.equal((await from('192.0.2.1')).status, 200)
  const refused = await from('192.0.2.1')
  assert.equal(refused.status, 429)
  assert.equal(messageOf(refused), 'Too many sign-ins. Try again in some seconds.')
  assert.equal(refused.headers['Retry-After'], '10')
  assert.equal((await from('192.0.2.2')).status, 200)
  pass(1000)
  assert.equal((await from('192.0.2.1')).status, 200)
  assert.equal((await from('192.0.2.1')).status, 429)
  // A client with an IPv6 network chooses its address in it.
  for (let count = 0; count < 30; count += 1) await from(`2001:db8::${count.toString(16)}`)
  assert.equal((await from('2001:db8::ffff')).status, 429)
  assert.equal((await from('2001:db8:0:1::1')).status, 200)
})

test('all sources together have a limit', async () => {
  const { ask } = signIns()
  const statuses: number[] = []
  for (let count = 0; count < 210; count += 1) {
    const remoteAddress = `192.0.2.${count}`
    const body = { provider: 'Example' }
    statuses.push((await ask('begin', body, { ...elsewhere, remoteAddress })).status)
  }
  assert.deepEqual([statuses.indexOf(429), statuses.lastIndexOf(200)], [200, 199])
})

test('only so many people wait for a provider at once', async () => {
  const release = Promise.withResolvers<{ readonly authorizationEndpoint: string }>()
  const { ask, pass } = signIns({ authorizationEndpoint: () => release.promise })
  const waiting = Array.from({ length: 64 }, () => {
    pass(1000)
    return ask('begin', { provider: 'Example' })
  })
  const refused = await ask('begin', { provider: 'Example' })
  assert.equal(refused.status, 503)
  assert.match(String(messageOf(refused)), /^Too many people wait for the identity provider\./)
  release.resolve({ authorizationEndpoint: 'https://login.example.com/' })
  for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 200)
  pass(1000)
  assert.equal((await ask('begin', { provider: 'Example' })).status, 200)
})

test('without a provider in the settings there are no such routes', async () => {
  const { ask } = signIns({}, [])
  assert.equal((await ask('begin', { provider: 'Example' })).status, 404)
})
