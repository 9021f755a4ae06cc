/**
 * Asks identity providers for small JSON documents: one GET of what they publish, or one POST of a form.
 * Both have limits on size and time, follow no redirect, and never reach a private address unless the
 * settings name the host.
 * @module
 */
import { request as requestPlain, type RequestOptions } from 'node:http'
import { request as requestSecure } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { parseJson, type JsonLimits } from '../model/json.ts'
import { isPublicAddress, lookupPublic } from '../model/public-address.ts'
import { mediaType } from '../wire/headers.ts'
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

/**
 * Posts a form of OAuth 2.0 to an endpoint that the issuer has named: at its own host, or at a public one.
 * The answer must be JSON. Its status is 200, or 400 or 401 for a refusal.
 * @throws {DocumentFailed}
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5
 */
export type PostForm = (
  url: string,
  form: Form,
  signal: AbortSignal,
  issuer: string,
) => Promise<Answer>

export interface Form {
  readonly fields: URLSearchParams
  /** Value of the header of that name. */
  readonly authorization?: string
}

export interface Answer {
  readonly status: number
  readonly document: unknown
}

/** @param privateHosts as for `createFetchDocument` */
export function createPostForm(privateHosts: ReadonlySet<string>): PostForm {
  return async (text, form, signal, issuer) => {
    const url = new URL(text)
    const door = doorOf(url, privateHosts, new URL(issuer).host)
    try {
      return await askOnce(url, { ...door, signal }, form)
    } catch (error) {
      throw failed(url, error)
    }
  }
}

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

async function fetchOnce(url: URL, asking: Asking): Promise<unknown> {
  return (await askOnce(url, asking)).document
}

/** Statuses of answers to a form that are documents. */
const formStatuses: ReadonlySet<unknown> = new Set([200, 400, 401])

function askOnce(url: URL, asking: Asking, form?: Form): Promise<Answer> {
  const { promise, resolve: done, reject } = Promise.withResolvers<Answer>()
  const request = (url.protocol === 'https:' ? requestSecure : requestPlain)(
    url,
    // A connection for this request alone. None outlives it.
    { ...asking, ...partsOf(form), agent: false, maxHeaderSize: 16 * 1024 },
    (response) => {
      const { statusCode: status = 0, headers } = response
      const refuse = (why: string): void => void response.destroy(new DocumentFailed(why))
      response.on('error', reject)
      if (form === undefined ? status !== 200 : !formStatuses.has(status)) {
        return refuse(`status ${status}`)
      }
      if (headers['content-encoding'] !== undefined) return refuse('an encoding')
      if (form !== undefined && mediaType(headers['content-type'] ?? '') !== 'application/json') {
        return refuse('the content type is not application/json')
      }
      const pieces: Buffer[] = []
      let bytes = 0
      response.on('data', (piece: Buffer) => {
        bytes += piece.length
        if (bytes > documentBytesMax) refuse('too long')
        else pieces.push(piece)
      })
      return response.on('end', () => {
        try {
          done({ status, document: parseJson(Buffer.concat(pieces), documentLimits) })
        } catch (cause) {
          reject(new DocumentFailed('not JSON', { cause }))
        }
      })
    },
  )
  request.on('error', reject)
  request.end(form?.fields.toString())
  return promise
}

function partsOf(form: Form | undefined): Pick<RequestOptions, 'method' | 'headers'> {
  const headers = { Accept: 'application/json', 'Accept-Encoding': 'identity' }
  if (form === undefined) return { headers }
  const { authorization } = form
  const more = {
    'Content-Type': 'application/x-www-form-urlencoded',
    ...(authorization !== undefined && { Authorization: authorization }),
  }
  return { method: 'POST', headers: { ...headers, ...more } }
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
