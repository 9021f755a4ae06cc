/**
 * Exchanges authorization codes of OpenID Connect providers for ID tokens, for people who sign in to the
 * console. It is a public client with PKCE, and keeps nothing of a sign-in: verifier, state and nonce belong
 * to the page that began it.
 *
 * The token comes straight from the provider, so its signature is not checked here. AssumeRoleWithWebIdentity
 * checks it, and decides what the token is good for.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
 * @see https://www.rfc-editor.org/rfc/rfc7636
 * @module
 */
import { DocumentFailed, mayAsk, type FetchDocument, type PostForm } from './issuer-documents.ts'
import { jose } from './jose.ts'

/** The console as a client of a provider. */
export interface OidcClient {
  readonly issuer: string
  readonly clientId: string
}

export interface GivenCode {
  readonly code: string
  /** Of PKCE. */
  readonly verifier: string
  readonly nonce: string
  /** The same as in the request for the code. */
  readonly redirectUri: string
}

export interface ProvenToken {
  readonly idToken: string
  /** For the role's session: the person's e-mail address, name or subject. */
  readonly sessionName: string
}

/** Why there is no answer, in a sentence for the person. It holds no text of the provider. */
export interface ExchangeRefused {
  readonly refused: string
  /** 403 when the provider or the token refuses, 502 when the provider fails. */
  readonly status: 403 | 502
}

export interface CodeExchange {
  /** Where the provider asks people who they are. */
  readonly authorizationEndpoint: (
    of: OidcClient,
  ) => Promise<{ readonly authorizationEndpoint: string } | ExchangeRefused>
  readonly exchange: (of: OidcClient, given: GivenCode) => Promise<ProvenToken | ExchangeRefused>
}

export interface CodeExchangeDependencies {
  readonly fetchDocument: FetchDocument
  readonly postForm: PostForm
  /** Hosts that may have private addresses. */
  readonly privateHosts: ReadonlySet<string>
  /** Milliseconds of a monotonic clock. */
  readonly monotonic: () => number
  /** Aborts after this number of milliseconds. */
  readonly timeLimit?: (ms: number) => AbortSignal
  readonly onError: (error: unknown) => void
}

/** Milliseconds. */
const freshMs = 10 * 60_000
/** How long a provider is left alone after a failure. */
const pauseMs = 5000
const askMsMax = 5000
/** What AssumeRoleWithWebIdentity takes. */
const tokenCharactersMax = 20_000

interface Endpoints {
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
}

interface Entry {
  known?: Endpoints
  knownAt: number
  failedAt: number
  fetching?: Promise<Endpoints> | undefined
}

export function createCodeExchange({
  fetchDocument,
  postForm,
  privateHosts,
  monotonic,
  timeLimit = (ms) => AbortSignal.timeout(ms),
  onError,
}: CodeExchangeDependencies): CodeExchange {
  /** By issuer. The settings name each of them. */
  const entries = new Map<string, Entry>()
  const fetchEndpoints = async (issuer: string, entry: Entry): Promise<Endpoints> => {
    try {
      const base = issuer.endsWith('/') ? issuer.slice(0, -1) : issuer
      const url = `${base}/.well-known/openid-configuration`
      const described = await fetchDocument(url, [], timeLimit(askMsMax))
      entry.known = endpointsOf(issuer, membersOf(described), privateHosts)
      entry.knownAt = monotonic()
      return entry.known
    } catch (error) {
      entry.failedAt = monotonic()
      throw error
    } finally {
      entry.fetching = undefined
    }
  }
  const endpoints = async (issuer: string): Promise<Endpoints> => {
    const entry = entries.get(issuer) ?? { knownAt: -Infinity, failedAt: -Infinity }
    entries.set(issuer, entry)
    const { known, knownAt, failedAt } = entry
    if (known !== undefined && monotonic() - knownAt < freshMs) return known
    if (monotonic() - failedAt < pauseMs) throw new DocumentFailed(`${issuer} has failed just now`)
    // One fetch at a time, shared by all who wait.
    return (entry.fetching ??= fetchEndpoints(issuer, entry))
  }
  /** A failure of the provider becomes a refusal; the log gets the reason. */
  const unlessFailed = async <T>(ask: () => Promise<T>): Promise<T | ExchangeRefused> => {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof DocumentFailed)) throw error
      onError(error)
      const refused =
        'The identity provider does not answer as it should. The log of the server says why.'
      return { refused, status: 502 }
    }
  }
  return {
    authorizationEndpoint: ({ issuer }) =>
      unlessFailed(async () => {
        const { authorizationEndpoint } = await endpoints(issuer)
        return { authorizationEndpoint }
      }),
    exchange: ({ issuer, clientId }, { code, verifier, nonce, redirectUri }) =>
      unlessFailed(async () => {
        const { tokenEndpoint } = await endpoints(issuer)
        const form = new URLSearchParams({
          grant_type: 'authorization_code',
          code,
          redirect_uri: redirectUri,
          client_id: clientId,
          code_verifier: verifier,
        })
        const answer = await postForm(tokenEndpoint, form, timeLimit(askMsMax), issuer)
        const members = membersOf(answer.document)
        if (answer.status !== 200) return refusalOf(members['error'])
        return readToken(members['id_token'], { issuer, clientId, nonce })
      }),
  }
}

/** @throws {DocumentFailed} */
function endpointsOf(
  issuer: string,
  described: Readonly<Record<string, unknown>>,
  privateHosts: ReadonlySet<string>,
): Endpoints {
  if (described['issuer'] !== issuer) {
    throw new DocumentFailed(`${issuer}: it describes another issuer`)
  }
  const endpoint = (name: string): string => {
    const text = described[name]
    const url = typeof text === 'string' ? URL.parse(text) : null
    // A browser is sent to one of them: no scheme but HTTPS, as for what the server asks.
    if (url === null || url.hash !== '' || !mayAsk(url, privateHosts)) {
      throw new DocumentFailed(`${issuer}: its ${name} is not a URL that may be asked`)
    }
    return url.href
  }
  const methods = described['code_challenge_methods_supported']
  // Several providers support PKCE and do not say so.
  if (methods !== undefined && !(Array.isArray(methods) && methods.includes('S256'))) {
    throw new DocumentFailed(`${issuer}: it does not support PKCE with S256`)
  }
  return {
    authorizationEndpoint: endpoint('authorization_endpoint'),
    tokenEndpoint: endpoint('token_endpoint'),
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
const knownErrors: ReadonlySet<unknown> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
])

function refusalOf(error: unknown): ExchangeRefused {
  const code = knownErrors.has(error) ? ` (${String(error)})` : ''
  return { refused: `The identity provider refused the code${code}. Sign in again.`, status: 403 }
}

function readToken(
  idToken: unknown,
  { issuer, clientId, nonce }: OidcClient & Pick<GivenCode, 'nonce'>,
): ProvenToken | ExchangeRefused {
  const claims = typeof idToken === 'string' ? claimsOf(idToken) : undefined
  if (typeof idToken !== 'string' || claims === undefined) {
    return { refused: 'The identity provider answered without a readable ID token.', status: 502 }
  }
  const { iss, aud, nonce: theirs } = claims
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (iss !== issuer) return { refused: 'The ID token is from another issuer.', status: 403 }
  if (!audiences.includes(clientId)) {
    return { refused: 'The ID token is for another client than the console.', status: 403 }
  }
  // A token of another sign-in, which somebody has put into this one.
  if (theirs !== nonce) return { refused: 'The ID token is from another sign-in.', status: 403 }
  return { idToken, sessionName: sessionNameOf(claims) }
}

function claimsOf(idToken: string): Readonly<Record<string, unknown>> | undefined {
  const { decodeJwt, errors } = jose()
  if (idToken.length > tokenCharactersMax) return undefined
  try {
    return decodeJwt(idToken)
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error
    return undefined
  }
}

/** The characters and the length that a role's session may have. */
function sessionNameOf({
  email,
  preferred_username: name,
  sub,
}: Readonly<Record<string, unknown>>): string {
  const [first = 'console'] = [email, name, sub].filter(
    (each) => typeof each === 'string' && each.length > 1,
  )
  return String(first)
    .replaceAll(/[^\w+=,.@-]/g, '-')
    .slice(0, 64)
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
