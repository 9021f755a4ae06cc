/** Codes of identity providers are exchanged for ID tokens, also by providers that are hostile. */
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { test } from 'node:test'
import { documentBytesMax } from '../../src/authenticate/issuer-documents.ts'
import {
  described,
  exchanging,
  failed,
  given,
  issuer,
  json,
  provide,
  refused,
  tokenOf,
  type Answering,
} from './code-exchanges.ts'
import { startIssuer } from './issuer.ts'

const client = { issuer: issuer.url, clientId: 'console' }

test('a code is exchanged with its verifier, and the description is fetched once', async (t) => {
  const idToken = await tokenOf({ sub: 'job-1', email: 'alice@example.com' })
  let form = new URLSearchParams()
  let method: string | undefined
  const asked = provide(t, async (request, response) => {
    ;({ method } = request)
    form = new URLSearchParams(await readText(request))
    json(response, 200, { id_token: idToken, access_token: 'not for the page' })
  })
  const { exchange, authorizationEndpoint, pass, errors } = exchanging()
  const both = await Promise.all([authorizationEndpoint(client), authorizationEndpoint(client)])
  for (const each of both) {
    assert.deepEqual(each, { authorizationEndpoint: `${issuer.url}/authorize` })
  }
  assert.deepEqual(await exchange(client, given), { idToken, sessionName: 'alice@example.com' })
  assert.equal(method, 'POST')
  assert.deepEqual(Object.fromEntries(form), {
    grant_type: 'authorization_code',
    code: given.code,
    redirect_uri: given.redirectUri,
    client_id: 'console',
    code_verifier: given.verifier,
  })
  assert.equal(asked(), 1)
  pass(10 * 60_000)
  await authorizationEndpoint(client)
  assert.equal(asked(), 2)
  assert.deepEqual(errors, [])
})

test('a session is named by e-mail address, name or subject, in the characters that it may have', async (t) => {
  let claims: object = {}
  provide(t, async (_, response) => json(response, 200, { id_token: await tokenOf({ ...claims }) }))
  const { exchange } = exchanging()
  for (const [more, name] of [
    [{ email: 'a@b.example', preferred_username: 'alice' }, 'a@b.example'],
    [{ preferred_username: 'alice b/ü' }, 'alice-b--'],
    [{ email: 7, sub: 'x'.repeat(100) }, 'x'.repeat(64)],
    [{ sub: '1' }, 'console'],
  ] as const) {
    claims = more
    assert.equal(Reflect.get(await exchange(client, given), 'sessionName'), name)
  }
})

test('a token of another issuer, client or sign-in is refused', async (t) => {
  let idToken: unknown
  provide(t, (_, response) => json(response, 200, { id_token: idToken }))
  const { exchange } = exchanging()
  const ask = async (claims: Readonly<Record<string, unknown>>): Promise<object> => {
    idToken = await tokenOf(claims)
    return exchange(client, given)
  }
  await refused(
    ask({ iss: 'https://other.example' }),
    403,
    /^The ID token is from another issuer\.$/,
  )
  await refused(ask({ aud: ['x', 'y'] }), 403, /^The ID token is for another client/)
  await refused(ask({ nonce: 'other' }), 403, /^The ID token is from another sign-in\.$/)
  await refused(ask({ nonce: undefined }), 403, /^The ID token is from another sign-in\.$/)
  assert('idToken' in (await ask({ aud: ['x', 'console'] })))
  const unreadable = /^The identity provider answered without a readable ID token\.$/
  for (const odd of [undefined, 7, 'no token', 'a.b.c', await tokenOf({ x: 'x'.repeat(20_000) })]) {
    idToken = odd
    await refused(exchange(client, given), 502, unreadable)
  }
})

test('a provider’s refusal is told by its code alone, and never in its own words', async (t) => {
  let body: object = {}
  let status = 400
  provide(t, (_, response) => json(response, status, body))
  const { exchange } = exchanging()
  body = { error: 'invalid_grant', error_description: '<b>call 555-0100</b>' }
  await refused(
    exchange(client, given),
    403,
    /^The identity provider refused the code \(invalid_grant\)\. Sign in again\.$/,
  )
  status = 401
  body = { error: 'call 555-0100' }
  const plain = /^The identity provider refused the code\. Sign in again\.$/
  await refused(exchange(client, given), 403, plain)
  body = ['invalid_grant']
  await refused(exchange(client, given), 403, plain)
})

test('a token endpoint that redirects, fails, sends HTML, an encoding or no JSON is refused', async (t) => {
  let answer: Answering = () => undefined
  provide(t, (request, response) => answer(request, response))
  const { exchange, errors } = exchanging()
  const type = { 'Content-Type': 'application/json' }
  for (const [how, reason] of [
    [(_, r) => r.writeHead(302, { ...type, Location: '/keys' }).end('{}'), /status 302/],
    [(_, r) => r.writeHead(307, { ...type, Location: '/keys' }).end('{}'), /status 307/],
    [(_, r) => r.writeHead(500, type).end('{}'), /status 500/],
    [
      (_, r) => r.writeHead(400, { 'Content-Type': 'text/html' }).end('<h1>call 555-0100</h1>'),
      /the content type is not application\/json/,
    ],
    [(_, r) => r.writeHead(200).end('{}'), /the content type is not application\/json/],
    [(_, r) => r.writeHead(200, { ...type, 'Content-Encoding': 'gzip' }).end(), /an encoding/],
    [(_, r) => r.writeHead(200, type).end('<html>'), /not JSON/],
    [(_, r) => void r.socket?.destroy(), /socket hang up|ECONNRESET/],
  ] as readonly (readonly [Answering, RegExp])[]) {
    answer = how
    await refused(exchange(client, given), 502, failed)
    assert.match(errors.at(-1) ?? '', reason)
  }
  assert(!errors.some((each) => each.includes('555')))
})

test('a token endpoint that sends without end, or nothing, is cut off', async (t) => {
  let sent = 0
  let answer: Answering = (_, response) => {
    const piece = Buffer.alloc(64 * 1024, ' ')
    response.writeHead(200, { 'Content-Type': 'application/json' })
    const more = (): void => {
      while (!response.destroyed && response.write(piece)) sent += piece.length
    }
    response.on('drain', more)
    more()
  }
  provide(t, (request, response) => answer(request, response))
  const patient = exchanging([issuer.host], 60_000)
  await refused(patient.exchange(client, given), 502, failed)
  assert.match(patient.errors[0] ?? '', /too long/)
  assert(sent < 200 * documentBytesMax, `${sent} bytes`)
  for (const silent of [
    () => undefined,
    (_: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { 'Content-Type': 'application/json' }).write('{"id_token":"')
    },
  ]) {
    answer = silent
    const impatient = exchanging([issuer.host], 1500)
    await refused(impatient.exchange(client, given), 502, failed)
    assert.match(impatient.errors[0] ?? '', /abort|timeout/i)
  }
})

test('a description that is not the issuer’s own, or leads elsewhere, is refused', async (t) => {
  const other = await startIssuer()
  t.after(() => other.close())
  let document: object = described
  t.after(() => issuer.answer(undefined))
  let asked = 0
  issuer.answer((_, response) => {
    asked += 1
    response.end(JSON.stringify(document))
  })
  const hosts = [issuer.host, other.host]
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ issuer: other.url }, /it describes another issuer/],
    [{ authorization_endpoint: undefined }, /its authorization_endpoint is not a URL/],
    [{ authorization_endpoint: 'javascript:alert(1)' }, /its authorization_endpoint is not/],
    [{ authorization_endpoint: 'http://login.example/' }, /its authorization_endpoint is not/],
    [{ authorization_endpoint: 'https://u:p@login.example/' }, /its authorization_endpoint/],
    [{ token_endpoint: 7 }, /its token_endpoint is not a URL/],
    [{ token_endpoint: 'http://127.0.0.1:1/token' }, /its token_endpoint is not a URL/],
    [{ code_challenge_methods_supported: ['plain'] }, /does not support PKCE with S256/],
    [{ code_challenge_methods_supported: 'S256' }, /does not support PKCE with S256/],
  ]
  for (const [change, reason] of wrong) {
    document = { ...described, ...change }
    const { authorizationEndpoint, exchange, errors } = exchanging(hosts)
    await refused(authorizationEndpoint(client), 502, failed)
    assert.match(errors[0] ?? '', reason)
    // A provider that has failed is left alone for some seconds.
    const before = asked
    await refused(exchange(client, given), 502, failed)
    assert.equal(asked, before)
    assert.match(errors[1] ?? '', /has failed just now/)
  }
  document = { ...described, code_challenge_methods_supported: ['plain', 'S256'] }
  const good = exchanging(hosts)
  assert('authorizationEndpoint' in (await good.authorizationEndpoint(client)))
})

test('the token endpoint is at the issuer’s own host or a public one', async (t) => {
  const other = await startIssuer()
  t.after(() => other.close())
  const hosts = [issuer.host, other.host]
  let reached = 0
  other.answer((_, response) => {
    reached += 1
    response.end()
  })
  for (const [token_endpoint, reason] of [
    [`${other.url}/token`, /is another host of TRENT_WEB_IDENTITY_HOSTS/],
    [`https://127.0.0.2:${new URL(other.url).port}/token`, /is a private address/],
    ['https://169.254.169.254/token', /is a private address/],
    [`https://localhost:${new URL(other.url).port}/token`, /has a private address/],
  ] as const) {
    provide(t, () => undefined, { ...described, token_endpoint })
    const { exchange, errors } = exchanging(hosts)
    await refused(exchange(client, given), 502, failed)
    assert.match(errors[0] ?? '', reason)
  }
  assert.equal(reached, 0)
})
