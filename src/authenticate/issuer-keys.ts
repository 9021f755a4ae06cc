/**
 * A cache of identity providers' signing keys. Keys are fetched at first use and kept for a while. They
 * are fetched again when a token names an unknown key, and kept through an outage of the provider.
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html
 * @module
 */
import { createPublicKey } from 'node:crypto'
import type { JWK, JWTVerifyGetKey } from 'jose'
import { DocumentFailed, type FetchDocument } from './issuer-documents.ts'
import { jose } from './jose.ts'

export interface Issuer {
  /** The account that registered it. */
  readonly accountId: string
  readonly url: string
  readonly thumbprints: readonly string[]
}

export interface IssuerKeys {
  /** Finds the key that a token names. Rejects with `DocumentFailed` while no keys are available. */
  of(issuer: Issuer): JWTVerifyGetKey
}

/** Milliseconds. */
const freshMs = 10 * 60_000
/** How long keys stay valid while the provider does not answer. */
const outageMs = 24 * 3_600_000
/** Minimum time between two fetches because of unknown keys. A token can name any key. */
const askAgainMs = 30_000
/** How long a provider is left alone after a failure. */
const pauseMs = 5000
/** Time limit of one fetch, both documents together. */
const askMsMax = 5000
/**
 * Calls that may wait for providers, each holding its request's slot. In total they are at most as many
 * as the slots of one source. An account's own providers may be slow, so each account has a lower limit
 * that leaves slots for others.
 */
const waitingMax = 1024
const waitingPerAccountMax = 256
const issuersMax = 1000
const keysMax = 100

interface Known {
  readonly keys: JWTVerifyGetKey
  readonly fetchedAt: number
}

interface Entry {
  known: Known | undefined
  failedAt: number
  failure: unknown
  fetching: Promise<void> | undefined
}

export interface IssuerKeyDependencies {
  readonly fetchDocument: FetchDocument
  /** Milliseconds of a monotonic clock. */
  readonly monotonic: () => number
  /** Aborts after this number of milliseconds. */
  readonly timeLimit?: (ms: number) => AbortSignal
  readonly onError: (error: unknown) => void
}

export function createIssuerKeys({
  fetchDocument,
  monotonic,
  timeLimit = (ms) => AbortSignal.timeout(ms),
  onError,
}: IssuerKeyDependencies): IssuerKeys {
  /** In order of last use. */
  const entries = new Map<string, Entry>()
  const room = createWaitingRoom()

  const entryOf = ({ url, thumbprints }: Issuer): Entry => {
    const name = [url, ...thumbprints].join(' ')
    const found = entries.get(name) ?? {
      known: undefined,
      failedAt: -Infinity,
      failure: undefined,
      fetching: undefined,
    }
    entries.delete(name)
    entries.set(name, found)
    const [oldest] = entries.keys()
    if (entries.size > issuersMax && oldest !== undefined) entries.delete(oldest)
    return found
  }
  const fetchInto = async (entry: Entry, issuer: Issuer): Promise<void> => {
    try {
      const keys = await fetchKeys(issuer, fetchDocument, timeLimit(askMsMax))
      entry.known = { keys, fetchedAt: monotonic() }
    } catch (error) {
      entry.failedAt = monotonic()
      entry.failure = error
      onError(error)
    } finally {
      entry.fetching = undefined
    }
  }
  const ageOf = ({ known }: Entry): number =>
    known === undefined ? Infinity : monotonic() - known.fetchedAt
  const refresh = async (entry: Entry, issuer: Issuer, olderThanMs: number): Promise<void> => {
    const paused = monotonic() - entry.failedAt < pauseMs
    if (ageOf(entry) < olderThanMs || paused) return
    // One fetch at a time, shared by all waiting calls.
    await room(issuer.accountId, () => (entry.fetching ??= fetchInto(entry, issuer)))
  }
  const keysOf = (entry: Entry): JWTVerifyGetKey => {
    const { known, failure } = entry
    if (known !== undefined && ageOf(entry) < outageMs) return known.keys
    throw new DocumentFailed('the provider’s keys could not be fetched', { cause: failure })
  }

  return {
    of: (issuer) => async (header, token) => {
      const entry = entryOf(issuer)
      await refresh(entry, issuer, freshMs)
      try {
        return await keysOf(entry)(header, token)
      } catch (error) {
        // Providers rotate keys at any time: the token's key may be newer than the cached ones.
        if (!(error instanceof jose().errors.JWKSNoMatchingKey)) throw error
        await refresh(entry, issuer, askAgainMs)
        return keysOf(entry)(header, token)
      }
    },
  }
}

/**
 * Waits for a fetch. Without a free slot it does not wait: the cached keys are used then, as in an
 * outage.
 */
function createWaitingRoom(): (accountId: string, answer: () => Promise<void>) => Promise<void> {
  /** By account. Accounts without waiting calls have no entry. */
  const waiting = new Map<string, number>()
  let inAll = 0
  return async (accountId, answer) => {
    const already = waiting.get(accountId) ?? 0
    if (already >= waitingPerAccountMax || inAll >= waitingMax) return
    waiting.set(accountId, already + 1)
    inAll += 1
    try {
      await answer()
    } finally {
      inAll -= 1
      const left = (waiting.get(accountId) ?? 1) - 1
      if (left === 0) waiting.delete(accountId)
      else waiting.set(accountId, left)
    }
  }
}

async function fetchKeys(
  { url, thumbprints }: Issuer,
  fetchDocument: FetchDocument,
  signal: AbortSignal,
): Promise<JWTVerifyGetKey> {
  const base = url.endsWith('/') ? url.slice(0, -1) : url
  const described = await fetchDocument(
    `${base}/.well-known/openid-configuration`,
    thumbprints,
    signal,
  )
  const { issuer, jwks_uri: keysUrl } = membersOf(described)
  if (issuer !== url) throw new DocumentFailed(`${url}: it describes another issuer`)
  if (typeof keysUrl !== 'string' || !URL.canParse(keysUrl)) {
    throw new DocumentFailed(`${url}: it does not say where its keys are`)
  }
  const { keys } = membersOf(await fetchDocument(keysUrl, thumbprints, signal, url))
  if (!Array.isArray(keys) || keys.length > keysMax) {
    throw new DocumentFailed(`${url}: its keys are no list, or too long a one`)
  }
  return jose().createLocalJWKSet({ keys: keys.flatMap(readVerifyingKey) })
}

const modulusBitsMin = 2048

/**
 * Reads the public half of a published signing key, field by field. Anything else is dropped, so that
 * no token is checked against it. Only key pairs are kept: a published key must not become a shared
 * secret.
 */
function readVerifyingKey(published: unknown): readonly JWK[] {
  const { kty, use, key_ops: uses, kid, alg } = membersOf(published)
  if ((kty !== 'RSA' && kty !== 'EC') || use === 'enc') return []
  if (uses !== undefined && !(Array.isArray(uses) && uses.includes('verify'))) return []
  try {
    const key = createPublicKey({ key: membersOf(published), format: 'jwk' })
    if ((key.asymmetricKeyDetails?.modulusLength ?? modulusBitsMin) < modulusBitsMin) return []
    const named = {
      ...(typeof kid === 'string' && { kid }),
      ...(typeof alg === 'string' && { alg }),
    }
    return [{ ...(key.export({ format: 'jwk' }) as JWK), ...named }]
  } catch {
    return []
  }
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
