/**
 * Fetches the documents that identity providers publish: one GET of a small JSON document, with limits
 * on size and time, without redirects, and never from a private address unless the settings name the
 * host.
 * @module
 */
import { request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { parseJson, type JsonLimits } from '../model/json.ts'
import { isPublicAddress, lookupPublic } from '../model/public-address.ts'
import { pinnedAuthority } from './pinned-authority.ts'

/** Bytes of a document. Providers publish a few thousand. */
export const documentBytesMax = 128 * 1024
const documentLimits: JsonLimits = { depthMax: 16, valuesMax: 20_000 }

/** A document could not be fetched. The message is for the log. */
export class DocumentFailed extends Error {}

/**
 * Fetches a document.
 * @param thumbprints SHA-1 in hex of authorities to trust in addition to the system's
 * @param signal ends the request
 * @param issuer the issuer when it named the URL itself: an issuer may not lead to a private host other
 *   than its own
 */
export type FetchDocument = (
  url: string,
  thumbprints: readonly string[],
  signal: AbortSignal,
  issuer?: string,
) => Promise<unknown>

/** @param privateHosts `host` or `host:port` as in URLs, which may have private addresses */
export function createFetchDocument(privateHosts: ReadonlySet<string>): FetchDocument {
  return async (text, thumbprints, signal, issuer = text) => {
    const url = new URL(text)
    const door = doorOf(url, privateHosts, new URL(issuer).host)
    try {
      return await fetchOnce(url, { ...door, signal })
    } catch (error) {
      if (!isUntrusted(error) || thumbprints.length === 0) throw failed(url, error)
    }
    try {
      const ca = await pinnedAuthority(url, { ...door, signal }, thumbprints)
      return await fetchOnce(url, { ...door, signal, ca, allowPartialTrustChain: true })
    } catch (error) {
      throw failed(url, error)
    }
  }
}

/** Whether a URL may be fetched at all: HTTPS, or HTTP on a named host of this machine. */
export function mayAsk(url: URL, privateHosts: ReadonlySet<string>): boolean {
  if (url.username !== '' || url.password !== '') return false
  if (url.protocol === 'https:') return true
  const isThisMachine = url.hostname === 'localhost' || /^127\.[\d.]+$/.test(url.hostname)
  return url.protocol === 'http:' && isThisMachine && privateHosts.has(url.host)
}

interface Door {
  readonly lookup?: LookupFunction
}

/** The constraints on a connection to the URL's host. @throws {DocumentFailed} */
function doorOf(url: URL, privateHosts: ReadonlySet<string>, issuerHost: string): Door {
  if (!mayAsk(url, privateHosts)) throw new DocumentFailed(`${url.origin} may not be asked`)
  if (privateHosts.has(url.host)) {
    if (url.host === issuerHost) return {}
    throw new DocumentFailed(`${url.host} is another host of TRENT_WEB_IDENTITY_HOSTS`)
  }
  const literal = url.hostname.replace(/^\[(.*)\]$/, '$1')
  // A literal address needs no lookup.
  if (isIP(literal) !== 0 && !isPublicAddress(literal)) {
    throw new DocumentFailed(`${url.host} is a private address`)
  }
  return { lookup: lookupPublic }
}

interface Asking extends Door {
  readonly signal: AbortSignal
  readonly ca?: string
  readonly allowPartialTrustChain?: boolean
}

function fetchOnce(url: URL, asking: Asking): Promise<unknown> {
  const headers = { Accept: 'application/json', 'Accept-Encoding': 'identity' }
  const { promise, resolve: done, reject } = Promise.withResolvers<unknown>()
  const request = (url.protocol === 'https:' ? requestSecure : requestPlain)(
    url,
    // A connection for this request alone. None outlives it.
    { ...asking, headers, agent: false, maxHeaderSize: 16 * 1024 },
    (response) => {
      const refuse = (why: string): void => void response.destroy(new DocumentFailed(why))
      response.on('error', reject)
      if (response.statusCode !== 200) return refuse(`status ${response.statusCode}`)
      if (response.headers['content-encoding'] !== undefined) return refuse('an encoding')
      const pieces: Buffer[] = []
      let bytes = 0
      response.on('data', (piece: Buffer) => {
        bytes += piece.length
        if (bytes > documentBytesMax) refuse('too long')
        else pieces.push(piece)
      })
      return response.on('end', () => {
        try {
          done(parseJson(Buffer.concat(pieces), documentLimits))
        } catch (cause) {
          reject(new DocumentFailed('not JSON', { cause }))
        }
      })
    },
  )
  request.on('error', reject)
  request.end()
  return promise
}

const untrusted: ReadonlySet<unknown> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

function isUntrusted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && untrusted.has(error.code)
}

function failed(url: URL, cause: unknown): DocumentFailed {
  const why = cause instanceof Error ? cause.message : 'no reason'
  return new DocumentFailed(`${url.href}: ${why}`, { cause })
}
