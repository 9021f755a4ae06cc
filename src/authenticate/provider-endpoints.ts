/**
 * Where an OpenID Connect provider asks people, and where it exchanges codes: from its own description,
 * which is kept for some minutes.
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html
 * @module
 */
import { secretMethodOf, type SecretMethod } from './client-authentication.ts'
import { DocumentFailed, mayAsk } from './issuer-documents.ts'

export interface Endpoints {
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  /** How it takes the secret of a client; undefined when it takes none that Trent could give. */
  readonly secretMethod: SecretMethod | undefined
}

/** Milliseconds. */
const freshMs = 10 * 60_000
/** How long a provider is left alone after a failure. */
const pauseMs = 5000

interface Entry {
  known?: Endpoints
  knownAt: number
  failedAt: number
  fetching?: Promise<Endpoints> | undefined
}

/** The function throws `DocumentFailed` when the provider cannot be asked. */
export function createProviderEndpoints({
  fetchDocument,
  privateHosts,
  monotonic,
}: {
  readonly fetchDocument: (url: string) => Promise<unknown>
  readonly privateHosts: ReadonlySet<string>
  /** Milliseconds. */
  readonly monotonic: () => number
}): (issuer: string) => Promise<Endpoints> {
  /** By issuer. The settings name each of them. */
  const entries = new Map<string, Entry>()
  const fetchEndpoints = async (issuer: string, entry: Entry): Promise<Endpoints> => {
    try {
      const base = issuer.endsWith('/') ? issuer.slice(0, -1) : issuer
      const described = await fetchDocument(`${base}/.well-known/openid-configuration`)
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
  return async (issuer) => {
    const entry = entries.get(issuer) ?? { knownAt: -Infinity, failedAt: -Infinity }
    entries.set(issuer, entry)
    const { known, knownAt, failedAt } = entry
    if (known !== undefined && monotonic() - knownAt < freshMs) return known
    if (monotonic() - failedAt < pauseMs) throw new DocumentFailed(`${issuer} has failed just now`)
    // One fetch at a time, shared by all who wait.
    return (entry.fetching ??= fetchEndpoints(issuer, entry))
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
    secretMethod: secretMethodOf(described['token_endpoint_auth_methods_supported']),
  }
}

export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
