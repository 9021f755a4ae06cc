/**
 * The paths served in addition to AWS's API: health, and Trent's own routes. All but health refuse a
 * foreign Host, a foreign Origin and any body but `application/json`. So a web page that is open in a
 * browser on this machine can neither rebind a name to this address nor post a form here.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { isLoopback } from '../model/address.ts'
import { isPresigned, isQuery } from './aws-query.ts'
import type { Screened } from './exchange.ts'
import { foreignMessage, foreignService } from './foreign-service.ts'
import { headerValues, mediaType, pathOf } from './headers.ts'
import { jsonAnswer, refusal, tooLarge } from './refusal.ts'
import type { RawRequest, RawResponse, RequestHead, RequestLine } from './request.ts'
import { element } from './xml.ts'

export interface Route {
  /** Exact, unless `below`: no pattern. */
  readonly path: string
  /** The path is a folder, such as `/console/`, and the route answers everything below it. */
  readonly below?: true
  /** `GET` includes `HEAD`. */
  readonly methods: readonly ('GET' | 'POST')[]
  /**
   * True when anyone who reaches the port may ask: source, Host and Origin are not checked then. `page`: a
   * page for people, from anywhere over TLS, without TLS on this machine only. A link from another site may
   * lead to it, but a form of another site may not post to it. `named`: from anywhere, under the names of
   * `OwnNames.named` only.
   */
  readonly open: boolean | 'page' | 'named'
  readonly bodyBytesMax: number
  readonly handle: (request: RawRequest) => Promise<RawResponse>
  /** Refuses by the head alone, while a body is arriving. */
  readonly screen?: (head: RequestHead) => Promise<Screened>
}

export type RouteTable = ReadonlyMap<string, Route>

/** The destination of a request: AWS's API, a route, or none. */
export type RouteMatch =
  | { readonly to: 'call' }
  | { readonly to: 'route'; readonly route: Route }
  | { readonly to: 'refusal'; readonly response: RawResponse }

/** The server's own hosts and origins. */
export interface OwnNames {
  readonly hosts: ReadonlySet<string>
  readonly origins: ReadonlySet<string>
  /** Names without ports, for routes that are `named`. */
  readonly named: ReadonlySet<string>
}

/** Readiness as `/readyz` reports it. `reasons` tells an operator what is missing. */
export interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly string[]
  /** The state of the database's replication, if several nodes can use it. */
  readonly replication?: string | undefined
  /** Why irreversible jobs wait; absent if they do not. */
  readonly held?: string | undefined
}

/** @throws when a path is malformed, is AWS's, or is present twice */
export function routeTable(routes: readonly Route[]): RouteTable {
  const table = new Map<string, Route>()
  for (const route of routes) {
    if (!/^\/[\w./-]+$/.test(route.path) || table.has(route.path)) {
      throw new Error(`the path of a route is not one, or is there twice: ${route.path}`)
    }
    table.set(route.path, route)
  }
  return table
}

/** Only the public listener has routes. The operator socket takes calls alone. */
export function matchRoute(table: RouteTable, request: RequestLine): RouteMatch {
  const path = pathOf(request.target)
  if (path === '/') {
    if (request.method === 'POST' || isPresigned(request)) return { to: 'call' }
    const service = foreignService(request)
    if (service !== undefined) return { to: 'refusal', response: foreignRefusal(service) }
    return { to: 'refusal', response: notAllowed(['POST']) }
  }
  const route = request.listener === 'public' ? routeAt(table, path) : undefined
  if (route !== undefined) return { to: 'route', route }
  const service = foreignService(request)
  if (service !== undefined) return { to: 'refusal', response: foreignRefusal(service) }
  // An SDK with a wrong endpoint URL reads `__type`; a person reads `message`.
  const message = 'nothing is served at this path'
  if (isQuery(request)) {
    const refused = refusal(request, 'UnknownOperationException', message)
    return { to: 'refusal', response: { ...refused, status: 404 } }
  }
  const body = {
    ...(request.method === 'POST' && { __type: 'UnknownOperationException' }),
    message,
  }
  return { to: 'refusal', response: jsonAnswer(404, body) }
}

/** Services with clients that read errors in XML and find operations by method and path. */
const inXml: ReadonlySet<string> = new Set(['s3', 's3express', 'route53', 'cloudfront'])

/** A call of a service that is not here, by its method and path. */
function foreignRefusal(service: string): RawResponse {
  const message = foreignMessage(service)
  const code = 'UnknownOperationException'
  if (!inXml.has(service)) return jsonAnswer(404, { __type: code, message })
  const error = { Code: code, Message: message, RequestId: randomUUID() }
  return {
    status: 404,
    headers: { 'Content-Type': 'application/xml', 'Cache-Control': 'no-store' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${element('Error', error)}`,
  }
}

function routeAt(table: RouteTable, path: string): Route | undefined {
  const exact = table.get(path)
  if (exact !== undefined) return exact
  const above = table.get(path.slice(0, path.indexOf('/', 1) + 1))
  return above?.below === true ? above : undefined
}

/** Checks a request against its route and answers it. Rejects with what the route's handler throws. */
export async function answerRoute(
  route: Route,
  own: OwnNames,
  request: RawRequest,
): Promise<RawResponse> {
  return guardRoute(route, own, request) ?? route.handle(request)
}

const noBody = Buffer.alloc(0)

/** Screens the head of a request to this route. */
export async function screenRoute(
  route: Route,
  own: OwnNames,
  head: RequestHead,
): Promise<Screened> {
  const refused = guardRoute(route, own, { ...head, body: noBody })
  if (refused !== undefined) return { refusal: refused }
  return { ...(await route.screen?.(head)), bodyBytesMax: route.bodyBytesMax }
}

/** The answer that refuses a request to this route; undefined when it is allowed. */
export function guardRoute(
  route: Pick<Route, 'methods' | 'open' | 'bodyBytesMax'>,
  own: OwnNames,
  request: RequestLine & Pick<RawRequest, 'body' | 'remoteAddress' | 'secure' | 'tls'>,
): RawResponse | undefined {
  const { body, rawHeaders } = request
  const refused = route.open === 'page' ? refusalOfPage(own, request) : undefined
  if (refused !== undefined) return jsonAnswer(403, { message: refused })
  if (isForeign(route.open, own, request)) {
    return jsonAnswer(403, { message: 'this path takes no requests from another host or origin' })
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method
  if (!route.methods.some((allowed) => allowed === method)) return notAllowed(route.methods)
  if (method === 'POST' || body.length > 0) {
    const types = headerValues(rawHeaders, 'content-type')
    if (types.length !== 1 || mediaType(types[0] ?? '') !== 'application/json') {
      return jsonAnswer(415, { message: 'the content type must be application/json' })
    }
  }
  return body.length > route.bodyBytesMax ? tooLarge(request) : undefined
}

/**
 * Why a request may not have a page.
 *
 * INVARIANT (no rebinding): without TLS, a page is served under this machine's own names only. A name that
 * an attacker has pointed at this address is refused, so no foreign origin ever holds a page of ours. Over
 * TLS the certificate proves the name to the browser.
 */
function refusalOfPage(
  own: OwnNames,
  request: RequestLine & Pick<RawRequest, 'remoteAddress' | 'secure' | 'tls'>,
): string | undefined {
  const { rawHeaders, remoteAddress, method } = request
  const isHere = isLoopback(remoteAddress)
  const overTls = request.tls !== undefined || (request.secure && !isHere)
  if (!overTls && !isHere) return 'this page needs HTTPS, unless the browser is on this machine'
  const [host = '', ...more] = headerValues(rawHeaders, 'host')
  if (more.length > 0 || (!overTls && !own.hosts.has(host.toLowerCase()))) {
    return 'this page is not served under this name'
  }
  if (method === 'GET' || method === 'HEAD') return undefined
  const origins = headerValues(rawHeaders, 'origin')
  const sites = headerValues(rawHeaders, 'sec-fetch-site')
  const ours = (origin: string): boolean =>
    overTls ? origin === `https://${host.toLowerCase()}` : own.origins.has(origin)
  return origins.length === 1 &&
    origins.every((origin) => ours(origin.toLowerCase())) &&
    sites.every((site) => site === 'same-origin')
    ? undefined
    : 'this path takes no requests from another origin'
}

function isForeign(
  open: Route['open'],
  own: OwnNames,
  { rawHeaders, remoteAddress }: Pick<RawRequest, 'rawHeaders' | 'remoteAddress'>,
): boolean {
  if (open === 'named') return !isNamed(own, rawHeaders)
  return open === false && !(isLoopback(remoteAddress) && isOwn(own, rawHeaders))
}

/**
 * Whether there is one Host with a name of ours, any Origin is the same host and port, and the browser
 * reports no cross-site request. Nobody knows the port under which a container is published, so any port is
 * ours. A web page on another port of the same machine has another origin.
 */
function isNamed(own: OwnNames, rawHeaders: readonly string[]): boolean {
  const [host = '', ...more] = headerValues(rawHeaders, 'host').map((each) => each.toLowerCase())
  const origins = headerValues(rawHeaders, 'origin')
  return (
    more.length === 0 &&
    own.named.has(host.replace(/:\d{1,5}$/, '')) &&
    origins.length <= 1 &&
    origins.every((origin) => /^https?:\/\/(.*)$/.exec(origin.toLowerCase())?.[1] === host) &&
    isSameSite(rawHeaders)
  )
}

function isSameSite(rawHeaders: readonly string[]): boolean {
  const sites = headerValues(rawHeaders, 'sec-fetch-site')
  return sites.every((site) => site === 'same-origin' || site === 'none')
}

/**
 * Whether there is one Host and it is ours, any Origin is ours, and the browser reports no cross-site
 * request.
 */
function isOwn(own: OwnNames, rawHeaders: readonly string[]): boolean {
  const hosts = headerValues(rawHeaders, 'host')
  const origins = headerValues(rawHeaders, 'origin')
  return (
    hosts.length === 1 &&
    own.hosts.has((hosts[0] ?? '').toLowerCase()) &&
    origins.length <= 1 &&
    origins.every((origin) => own.origins.has(origin.toLowerCase())) &&
    isSameSite(rawHeaders)
  )
}

/**
 * The names of this machine and of the listen address, with and without the port. An origin must have
 * the port, because another port of this machine may serve someone else's page.
 * @param listenHost as in the settings, an IPv6 address without brackets
 * @param further names for routes that are `named`
 */
export function ownNames(
  listenHost: string,
  port: number,
  further: readonly string[] = [],
): OwnNames {
  const listened = listenHost.includes(':') ? `[${listenHost}]` : listenHost
  const names = new Set(['localhost', '127.0.0.1', '[::1]', listened.toLowerCase()])
  const hosts = [...names].flatMap((name) => [name, `${name}:${port}`])
  const origins = [...names].flatMap((name) => [
    port === 80 ? `http://${name}` : `http://${name}:${port}`,
    port === 443 ? `https://${name}` : `https://${name}:${port}`,
  ])
  const named = new Set([...names, ...further])
  return { hosts: new Set(hosts), origins: new Set(origins), named }
}

/**
 * `/healthz` answers 200 while the process runs. `/readyz` answers 200 when it can serve calls, or 503
 * with the reasons.
 */
export function healthRoutes(readiness: () => Promise<Readiness>): readonly Route[] {
  const health = { methods: ['GET'], open: true, bodyBytesMax: 0 } as const
  return [
    { ...health, path: '/healthz', handle: async () => jsonAnswer(200, { status: 'up' }) },
    {
      ...health,
      path: '/readyz',
      handle: async () => {
        const { ready, reasons, ...told } = await readiness()
        return ready
          ? jsonAnswer(200, { status: 'ready', ...told })
          : jsonAnswer(503, { status: 'not ready', reasons, ...told })
      },
    },
  ]
}

function notAllowed(methods: readonly string[]): RawResponse {
  const Allow = (methods.includes('GET') ? [...methods, 'HEAD'] : methods).join(', ')
  return jsonAnswer(405, { message: `this path takes ${Allow}` }, { Allow })
}
