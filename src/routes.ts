/** What one public request is for: AWS's API, health, or the test API where it is on. @module */
import { isLoopback, type Config } from './config.ts'
import { metricsRoute, type MetricsText } from './wire/metrics-route.ts'
import type { RawRequest, RawResponse } from './wire/request.ts'
import type { Target } from './wire/aws-json.ts'
import {
  answerRoute,
  healthRoutes,
  matchRoute,
  ownNames,
  routeTable,
  type Readiness,
  type Route,
} from './wire/routes.ts'

export interface Serving {
  readonly config: Pick<Config, 'listen' | 'testApi' | 'metricsToken'>
  readonly metrics: MetricsText
  /** The port that is listened on, which is not the configured one where that is 0. */
  readonly port: () => number
  /** Runs the pipeline; `target` for what no header names. */
  readonly serve: (request: RawRequest, target?: Target) => Promise<RawResponse>
  readonly readiness: () => Promise<Readiness>
}

export function publicHandler(serving: Serving): (request: RawRequest) => Promise<RawResponse> {
  const { config, serve, readiness } = serving
  const table = routeTable([
    ...healthRoutes(readiness),
    metricsRoute(serving.metrics, {
      token: config.metricsToken,
      loopback: isLoopback(config.listen.host),
    }),
    ...serviceRoutes(serve),
    ...(config.testApi ? testRoutes(serve) : []),
  ])
  return (request) => {
    const match = matchRoute(table, request)
    if (match.to === 'call') return serve(request)
    if (match.to === 'refusal') return Promise.resolve(match.response)
    return answerRoute(match.route, ownNames(config.listen.host, serving.port()), request)
  }
}

/**
 * The public requests of a worker that is not the first: AWS's API it serves itself, and all else, which
 * needs what the first alone has, goes there as it came.
 */
export function workerHandler(of: {
  readonly serve: (request: RawRequest) => Promise<RawResponse>
  readonly elsewhere: (request: RawRequest) => Promise<RawResponse>
}): (request: RawRequest) => Promise<RawResponse> {
  const noRoutes = routeTable([])
  return (request) =>
    matchRoute(noRoutes, request).to === 'call' ? of.serve(request) : of.elsewhere(request)
}

/** A user's headers and query, escaped. */
const serviceBodyBytesMax = 128 * 1024

/** Open to any host and origin, as AWS's API is: the signature says who asks. */
function serviceRoutes(serve: Serving['serve']): readonly Route[] {
  const route = (path: string, operation: string): Route => ({
    path,
    methods: ['POST'],
    open: true,
    bodyBytesMax: serviceBodyBytesMax,
    handle: (request) => serveAsJson(serve, request, operation),
  })
  return [
    route('/_trent/fas', 'CreateForwardAccessSession'),
    route('/_trent/infrastructure-session', 'CreateInfrastructureSession'),
  ]
}

async function serveAsJson(
  serve: Serving['serve'],
  request: RawRequest,
  operation: string,
): Promise<RawResponse> {
  const { status, headers, body } = await serve(request, { service: 'trent', operation })
  return { status, body, headers: { ...headers, 'Content-Type': 'application/json' } }
}

const testBodyBytesMax = 4096

function testRoutes(serve: Serving['serve']): readonly Route[] {
  const route = (path: string, operations: { GET?: string; POST: string }): Route => ({
    path,
    methods: operations.GET === undefined ? ['POST'] : ['GET', 'POST'],
    open: false,
    bodyBytesMax: testBodyBytesMax,
    handle: (request) =>
      serveAsJson(
        serve,
        request,
        request.method === 'POST' ? operations.POST : (operations.GET ?? ''),
      ),
  })
  return [
    route('/_trent/test/clock', { GET: 'GetTestClock', POST: 'SetTestClock' }),
    route('/_trent/test/faults', { GET: 'GetTestFaults', POST: 'SetTestFaults' }),
    route('/_trent/test/reset', { POST: 'ResetTestData' }),
  ]
}
