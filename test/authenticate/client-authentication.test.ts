/** Clients with a secret: how the secret reaches the token endpoint, and that it reaches nothing else. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import type { CodeExchangeDependencies } from '../../src/authenticate/code-exchange.ts'
import {
  described,
  exchanging,
  given,
  issuer,
  json,
  provide,
  refused,
  tokenOf,
} from './code-exchanges.ts'

const client = { issuer: issuer.url, clientId: 'con:sole', secretFile: '/secrets/console' }
const secret = "s3cret: +/%&=~!'()*"
const readSecret: CodeExchangeDependencies['readSecret'] = async (file) => {
  assert.equal(file, client.secretFile)
  return { secret: Buffer.from(secret) }
}
const unfit =
  /^The console is not set up as a client of this identity provider\. The log of the server says why\.$/

interface Proof {
  readonly authorization: string | undefined
  readonly form: Readonly<Record<string, string>>
}

/** The provider takes secrets by these methods. Returns what its token endpoint has got. */
function taking(t: TestContext, methods?: unknown): readonly Proof[] {
  const got: Proof[] = []
  const document = { ...described, token_endpoint_auth_methods_supported: methods }
  const answer = async (
    form: string,
    authorization: string | undefined,
    response: ServerResponse,
  ) => {
    got.push({ authorization, form: Object.fromEntries(new URLSearchParams(form)) })
    json(response, 200, { id_token: await tokenOf({ aud: 'con:sole', sub: 'alice' }) })
  }
  provide(
    t,
    async (request, response) =>
      answer(await readText(request), request.headers.authorization, response),
    document,
  )
  return got
}

const code = {
  grant_type: 'authorization_code',
  code: given.code,
  redirect_uri: given.redirectUri,
  code_verifier: given.verifier,
}

test('a secret goes into the Authorization header, encoded, unless the provider wants a form', async (t) => {
  for (const methods of [
    undefined,
    ['client_secret_basic'],
    ['private_key_jwt', 'client_secret_post', 'client_secret_basic'],
  ]) {
    const got = taking(t, methods)
    const { exchange, errors } = exchanging(undefined, undefined, readSecret)
    assert('idToken' in (await exchange(client, given)))
    const [{ authorization = '', form } = assert.fail()] = got
    const [, base64 = ''] = /^Basic (.+)$/.exec(authorization) ?? []
    // A form decoder, and one that knows percent encoding alone, read the same.
    const pair = Buffer.from(base64, 'base64').toString().split(':')
    assert.deepEqual(pair.map(decodeURIComponent), ['con:sole', secret])
    const [[key, value] = []] = new URLSearchParams(pair.join('='))
    assert.deepEqual([key, value], ['con:sole', secret])
    assert.deepEqual(form, code)
    assert.deepEqual(errors, [])
  }
})

test('a provider that takes secrets in a form alone gets it there', async (t) => {
  const got = taking(t, ['client_secret_post', 'client_secret_jwt'])
  const { exchange } = exchanging(undefined, undefined, readSecret)
  assert('idToken' in (await exchange(client, given)))
  assert.deepEqual(got, [
    { authorization: undefined, form: { ...code, client_id: 'con:sole', client_secret: secret } },
  ])
})

test('a public client sends no secret, whatever the provider takes', async (t) => {
  const got = taking(t, ['client_secret_basic'])
  const { exchange } = exchanging()
  const { issuer: url, clientId } = client
  assert('idToken' in (await exchange({ issuer: url, clientId }, given)))
  assert.deepEqual(got, [{ authorization: undefined, form: { ...code, client_id: 'con:sole' } }])
})

test('a provider that takes no secret is not given one, and nobody begins a sign-in there', async (t) => {
  for (const methods of [['private_key_jwt'], [], 'client_secret_basic', { length: 1 }, null]) {
    const got = taking(t, methods)
    const { authorizationEndpoint, exchange, errors } = exchanging(undefined, undefined, () =>
      assert.fail('the secret is read'),
    )
    await refused(authorizationEndpoint(client), 502, unfit)
    await refused(exchange(client, given), 502, unfit)
    assert.deepEqual(got, [])
    const reason = `${issuer.url}: it takes neither client_secret_basic nor client_secret_post`
    assert.deepEqual(errors, [reason, reason])
  }
})

test('a secret that cannot be read stops a sign-in at its begin; a replaced one is used at once', async (t) => {
  const got = taking(t)
  let read: Awaited<ReturnType<typeof readSecret>> = {
    why: '/secrets/console cannot be read: ENOENT',
  }
  const { authorizationEndpoint, exchange, errors } = exchanging(
    undefined,
    undefined,
    async () => read,
  )
  await refused(authorizationEndpoint(client), 502, unfit)
  await refused(exchange(client, given), 502, unfit)
  assert.equal(errors[0], `${issuer.url}: /secrets/console cannot be read: ENOENT`)
  assert.deepEqual(got, [])
  for (const each of ['first', 'second']) {
    read = { secret: Buffer.from(each) }
    assert('authorizationEndpoint' in (await authorizationEndpoint(client)))
    assert('idToken' in (await exchange(client, given)))
  }
  const sent = got.map(({ authorization = '' }) =>
    Buffer.from(authorization.replace('Basic ', ''), 'base64').toString(),
  )
  assert.deepEqual(sent, ['con%3Asole:first', 'con%3Asole:second'])
})

test('a provider that refuses the client is in the log, and neither log nor page has the secret', async (t) => {
  let status = 401
  let error = 'invalid_client'
  provide(t, (_, response) => json(response, status, { error, error_description: secret }))
  const { exchange, errors } = exchanging(undefined, undefined, readSecret)
  await refused(exchange(client, given), 502, unfit)
  status = 400
  error = 'unauthorized_client'
  await refused(exchange(client, given), 502, unfit)
  assert.deepEqual(errors, [
    `${issuer.url}: it refuses the client con:sole: invalid_client`,
    `${issuer.url}: it refuses the client con:sole: unauthorized_client`,
  ])
  error = secret
  await refused(exchange(client, given), 403, /^The identity provider refused the code\. Sign in/)
})

test('a token endpoint that leads elsewhere gets the secret once, and the other place never', async (t) => {
  const asked: string[] = []
  t.after(() => issuer.answer(undefined))
  issuer.answer((request, response) => {
    asked.push(request.url ?? '')
    if (request.url?.endsWith('/openid-configuration') === true) {
      return response.end(JSON.stringify(described))
    }
    const type = { 'Content-Type': 'application/json' }
    return response.writeHead(307, { ...type, Location: `${issuer.url}/elsewhere` }).end('{}')
  })
  const { exchange, errors } = exchanging(undefined, undefined, readSecret)
  assert('refused' in (await exchange(client, given)))
  assert.deepEqual(asked, ['/team/.well-known/openid-configuration', '/team/token'])
  assert.match(errors[0] ?? '', /status 307$/)
  assert(!errors.some((each) => each.includes('s3cret')))
})
