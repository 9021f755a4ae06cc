/** An OpenID Connect provider with a page where a person says yes or no, and a token endpoint that checks PKCE. */
import { createHash, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { startIssuer, type Issuer } from '../authenticate/issuer.ts'

export const clientId = 'trent-console'

export interface OidcProvider extends Pick<Issuer, 'url' | 'host' | 'close'> {
  /** The only redirect URI that it takes. */
  readonly register: (redirectUri: string) => void
  /** What the page sends back in addition to the code, or in its place. */
  readonly returning: (changes: Readonly<Record<string, string>>) => void
  /** Claims of its tokens, in addition to its own. */
  readonly claiming: (claims: Readonly<Record<string, unknown>>) => void
  /** Whether its token endpoint answers. */
  readonly working: (is: boolean) => void
  /** Requests for a code that were not as they should be. */
  readonly faults: readonly string[]
  /** Codes that it has exchanged. */
  readonly exchanged: readonly string[]
}

interface Asked {
  readonly challenge: string
  readonly nonce: string
  readonly redirectUri: string
}

export async function startOidcProvider(): Promise<OidcProvider> {
  const issuer = await startIssuer('/people')
  const codes = new Map<string, Asked>()
  const faults: string[] = []
  const exchanged: string[] = []
  let registered = ''
  let changes: Readonly<Record<string, string>> = {}
  let claims: Readonly<Record<string, unknown>> = {}
  let isWorking = true
  const authorize = (query: URLSearchParams, response: ServerResponse): void => {
    const wanted = {
      response_type: 'code',
      client_id: clientId,
      code_challenge_method: 'S256',
      scope: 'openid email',
      redirect_uri: registered,
    }
    for (const [name, value] of Object.entries(wanted)) {
      if (query.get(name) !== value) faults.push(`${name}=${query.get(name)}`)
    }
    const code = randomUUID()
    codes.set(code, {
      challenge: query.get('code_challenge') ?? '',
      nonce: query.get('nonce') ?? '',
      redirectUri: query.get('redirect_uri') ?? '',
    })
    const state = query.get('state') ?? ''
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })
    response.end(`<!doctype html><title>People</title><h1>Who are you?</h1>
      <a href="${back({ code, state, iss: issuer.url, ...changes })}">Continue as alice</a>
      <a href="${back({ error: 'access_denied', error_description: '<b>no</b>', state })}">Refuse</a>`)
  }
  const back = (query: Readonly<Record<string, string>>): string =>
    `${registered}?${new URLSearchParams(query).toString()}`.replaceAll('&', '&amp;')
  const exchange = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await readText(request))
    const code = form.get('code') ?? ''
    const asked = codes.get(code)
    codes.delete(code)
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const isGood =
      form.get('grant_type') === 'authorization_code' &&
      form.get('client_id') === clientId &&
      form.get('redirect_uri') === asked?.redirectUri &&
      challenge === asked.challenge
    const own = { aud: clientId, sub: 'alice', email: 'alice@example.com', nonce: asked?.nonce }
    const body = isGood
      ? { token_type: 'Bearer', id_token: await issuer.sign({ ...own, ...claims }) }
      : { error: 'invalid_grant' }
    if (isGood) exchanged.push(code)
    response.writeHead(isGood ? 200 : 400, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  issuer.answer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', issuer.url)
    if (pathname === '/people/authorize') return authorize(searchParams, response)
    if (pathname === '/people/token') {
      return isWorking ? exchange(request, response) : response.writeHead(500).end('<h1>Oh</h1>')
    }
    if (pathname !== '/people/.well-known/openid-configuration') return 'own'
    const { url } = issuer
    const described = {
      issuer: url,
      jwks_uri: `${url}/keys`,
      authorization_endpoint: `${url}/authorize`,
      token_endpoint: `${url}/token`,
      code_challenge_methods_supported: ['S256'],
    }
    return response.end(JSON.stringify(described))
  })
  return {
    url: issuer.url,
    host: issuer.host,
    close: issuer.close,
    faults,
    exchanged,
    register(redirectUri) {
      registered = redirectUri
    },
    returning(given) {
      changes = given
    },
    claiming(given) {
      claims = given
    },
    working(is) {
      isWorking = is
    },
  }
}
