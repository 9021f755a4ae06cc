/**
 * Exchanges authorization codes of OpenID Connect providers for ID tokens, for people who sign in to the
 * console. It is a client with PKCE, public or with a secret, and keeps nothing of a sign-in: verifier, state
 * and nonce belong to the page that began it.
 *
 * The token comes straight from the provider, so its signature is not checked here. AssumeRoleWithWebIdentity
 * checks it, and decides what the token is good for.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
 * @see https://www.rfc-editor.org/rfc/rfc7636
 * @module
 */
import { authenticatedForm, type SecretMethod } from './client-authentication.ts'
import { DocumentFailed, type FetchDocument, type PostForm } from './issuer-documents.ts'
import { jose } from './jose.ts'
import { createProviderEndpoints, membersOf, type Endpoints } from './provider-endpoints.ts'

/** The console as a client of a provider. */
export interface OidcClient {
  readonly issuer: string
  readonly clientId: string
  /** The file with its secret. Without one, the client is public. */
  readonly secretFile?: string
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
  /** 403 when the provider or the token refuses, 502 when the provider or the settings fail. */
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
  /** Reads the secret of a client, or says why it cannot. The reason is for the log. */
  readonly readSecret: (
    file: string,
  ) => Promise<{ readonly secret: Uint8Array } | { readonly why: string }>
  /** Hosts that may have private addresses. */
  readonly privateHosts: ReadonlySet<string>
  /** Milliseconds of a monotonic clock. */
  readonly monotonic: () => number
  /** Aborts after this number of milliseconds. */
  readonly timeLimit?: (ms: number) => AbortSignal
  readonly onError: (error: unknown) => void
}

const askMsMax = 5000
/** What AssumeRoleWithWebIdentity takes. */
const tokenCharactersMax = 20_000

/** The settings and the provider disagree about the client. The message is for the log. */
class ClientUnfit extends Error {}

const failureSentences = {
  provider: 'The identity provider does not answer as it should. The log of the server says why.',
  client:
    'The console is not set up as a client of this identity provider. The log of the server says why.',
} as const

export function createCodeExchange({
  fetchDocument,
  postForm,
  readSecret,
  privateHosts,
  monotonic,
  timeLimit = (ms) => AbortSignal.timeout(ms),
  onError,
}: CodeExchangeDependencies): CodeExchange {
  const endpoints = createProviderEndpoints({
    fetchDocument: (url) => fetchDocument(url, [], timeLimit(askMsMax)),
    privateHosts,
    monotonic,
  })
  /** A failure becomes a refusal; the log gets the reason. */
  const unlessFailed = async <T>(ask: () => Promise<T>): Promise<T | ExchangeRefused> => {
    try {
      return await ask()
    } catch (error) {
      const isProvider = error instanceof DocumentFailed
      if (!isProvider && !(error instanceof ClientUnfit)) throw error
      onError(error)
      return { refused: failureSentences[isProvider ? 'provider' : 'client'], status: 502 }
    }
  }
  /** @throws {ClientUnfit} */
  const proofOf = async (
    { issuer, secretFile }: OidcClient,
    { secretMethod: method }: Endpoints,
  ): Promise<{ readonly method: SecretMethod; readonly secret: Uint8Array } | undefined> => {
    if (secretFile === undefined) return undefined
    if (method === undefined) {
      const methods = 'neither client_secret_basic nor client_secret_post'
      throw new ClientUnfit(`${issuer}: it takes ${methods}`)
    }
    // Read each time, so that a secret that was replaced needs no restart.
    const read = await readSecret(secretFile)
    if ('why' in read) throw new ClientUnfit(`${issuer}: ${read.why}`)
    return { method, secret: read.secret }
  }
  return {
    authorizationEndpoint: (client) =>
      unlessFailed(async () => {
        const found = await endpoints(client.issuer)
        // A person should learn before the sign-in that it cannot succeed.
        await proofOf(client, found)
        return { authorizationEndpoint: found.authorizationEndpoint }
      }),
    exchange: (client, { code, verifier, nonce, redirectUri }) =>
      unlessFailed(async () => {
        const { issuer, clientId } = client
        const found = await endpoints(issuer)
        const fields = {
          grant_type: 'authorization_code',
          code,
          redirect_uri: redirectUri,
          code_verifier: verifier,
        }
        const form = authenticatedForm(fields, clientId, await proofOf(client, found))
        const answer = await postForm(found.tokenEndpoint, form, timeLimit(askMsMax), issuer)
        const members = membersOf(answer.document)
        if (answer.status !== 200) return refusalOf(members['error'], client)
        return readToken(members['id_token'], { issuer, clientId, nonce })
      }),
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

/** No person can mend these: the client id, its secret or its registration is wrong. */
const clientErrors: ReadonlySet<unknown> = new Set(['invalid_client', 'unauthorized_client'])

/** @throws {ClientUnfit} */
function refusalOf(error: unknown, { issuer, clientId }: OidcClient): ExchangeRefused {
  if (clientErrors.has(error)) {
    throw new ClientUnfit(`${issuer}: it refuses the client ${clientId}: ${String(error)}`)
  }
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
