/**
 * The route `GET /metrics`. On loopback it is open to requests under this server's own names. On other
 * addresses, and wherever the settings name a token, it needs the token.
 * @module
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { headerValues } from './headers.ts'
import { jsonAnswer } from './refusal.ts'
import type { RawRequest, RawResponse } from './request.ts'
import type { Route } from './routes.ts'

export interface MetricsText {
  text(): Promise<string>
  readonly contentType: string
}

export function metricsRoute(
  metrics: MetricsText,
  access: { readonly token: Uint8Array | undefined; readonly loopback: boolean },
): Route {
  const { token, loopback } = access
  const asksForToken = token !== undefined || !loopback
  return {
    path: '/metrics',
    methods: ['GET'],
    // A request with a token is not from a web page, and scrapers use their own names for the server.
    open: asksForToken,
    bodyBytesMax: 0,
    handle: async (request) => {
      if (asksForToken && !brings(request, token)) return unauthorized()
      return {
        status: 200,
        headers: { 'Content-Type': metrics.contentType, 'Cache-Control': 'no-store' },
        body: await metrics.text(),
      }
    },
  }
}

/** Compares hashes, so that the time reveals neither the token's length nor its content. */
function brings({ rawHeaders }: RawRequest, token: Uint8Array | undefined): boolean {
  const given = headerValues(rawHeaders, 'authorization')
  const [, brought] = /^Bearer ([\x21-\x7e]{1,256})$/i.exec(given[0] ?? '') ?? []
  if (token === undefined || brought === undefined || given.length !== 1) return false
  const digest = (value: string | Uint8Array): Buffer => createHash('sha256').update(value).digest()
  return timingSafeEqual(digest(brought), digest(token))
}

function unauthorized(): RawResponse {
  const message = 'this path asks for the bearer token of TRENT_METRICS_TOKEN'
  return jsonAnswer(401, { message }, { 'WWW-Authenticate': 'Bearer' })
}
