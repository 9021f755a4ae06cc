/** Routes of the public port: AWS's API, health, and the test API where it is on. @module */
import { join } from 'node:path'
import { isSea } from 'node:sea'
import type { Logger } from 'pino'
import { createCodeExchange } from '../authenticate/code-exchange.ts'
import { createFetchDocument, createPostForm } from '../authenticate/issuer-documents.ts'
import { readClientSecret, wrongClientSecrets } from '../console/client-secret.ts'
import { consoleRoutes } from '../console/console-route.ts'
import { createBuiltFiles } from '../console/built-files.ts'
import { pagesInExecutable, pagesOnDisk } from '../console/page-folders.ts'
import { ConfigError, type Config } from '../config.ts'
import { isLoopback } from '../model/address.ts'
import { metricsRoute, type MetricsText } from '../wire/metrics-route.ts'
import type { Handler, Screen, Screened } from '../wire/exchange.ts'
import type { RawRequest, RawResponse, RequestHead } from '../wire/request.ts'
import type { Target } from '../wire/aws-json.ts'
import {
  answerRoute,
  healthRoutes,
  matchRoute,
  ownNames,
  routeTable,
  screenRoute,
  type OwnNames,
  type Readiness,
  type Route,
} from '../wire/routes.ts'
import { version } from '../version.ts'

export interface Serving {
  readonly config: Pick<
    Config,
    | 'listen'
    | 'testApi'
    | 'testContainer'
    | 'metricsToken'
    | 'console'
    | 'signInProviders'
    | 'webIdentityHosts'
    | 'region'
    | 'regions'
  >
  readonly log: Pick<Logger, 'warn'>
  readonly metrics: MetricsText
  /** The port that the server listens on. It differs from the configured port if that is 0. */
  readonly port: () => number
  /** Runs the pipeline. `target` names an operation that no header names. */
  readonly serve: (request: RawRequest, target?: Target) => Promise<RawResponse>
  /** Refuses certain calls before their body arrives. */
  readonly screen: (head: RequestHead, target?: Target) => Promise<Screened>
  readonly readiness: () => Promise<Readiness>
}

/** The handler of the public port. */
export interface PublicService {
  readonly handler: Handler
  readonly screen: Screen
}

export function publicService(serving: Serving): PublicService {
  const { config, serve, readiness } = serving
  const table = routeTable([
    ...healthRoutes(readiness),
    metricsRoute(serving.metrics, {
      token: config.metricsToken,
      loopback: isLoopback(config.listen.host),
    }),
    ...serviceRoutes(serving),
    ...(config.testApi ? testRoutes(serve, config.testContainer && 'named') : []),
    ...pageRoutes(serving),
  ])
  const hosts = config.testContainer?.hosts
  const own = (): OwnNames => ownNames(config.listen.host, serving.port(), hosts)
  return {
    handler(request) {
      const match = matchRoute(table, request)
      if (match.to === 'call') return serve(request)
      if (match.to === 'refusal') return Promise.resolve(match.response)
      return answerRoute(match.route, own(), request)
    },
    screen(head) {
      const match = matchRoute(table, head)
      if (match.to === 'call') return serving.screen(head)
      if (match.to === 'refusal') return Promise.resolve({ refusal: match.response })
      return screenRoute(match.route, own(), head)
    },
  }
}

/**
 * The handler of every worker except worker 0. It serves AWS's API itself and passes every other request to
 * worker 0, unchanged.
 */
export function workerService(of: {
  readonly serve: Handler
  readonly screen: Screen
  readonly elsewhere: Handler
}): PublicService {
  const noRoutes = routeTable([])
  const isCall = (head: RequestHead): boolean => matchRoute(noRoutes, head).to === 'call'
  return {
    handler: (request) => (isCall(request) ? of.serve(request) : of.elsewhere(request)),
    screen: async (head) =>
      isCall(head) ? of.screen(head) : { bodyBytesMax: serviceBodyBytesMax },
  }
}

/** A request's headers and query, escaped. */
const serviceBodyBytesMax = 128 * 1024

/** Open to every host and origin, like AWS's API: the signature proves the caller. */
function serviceRoutes({ serve, screen }: Serving): readonly Route[] {
  const route = (path: string, operation: string): Route => ({
    path,
    methods: ['POST'],
    open: true,
    bodyBytesMax: serviceBodyBytesMax,
    handle: (request) => serveAsJson(serve, request, operation),
    screen: async (head) => {
      const { refusal } = await screen(head, { service: 'trent', operation })
      return refusal === undefined ? {} : { refusal: asJson(refusal) }
    },
  })
  return [
    route('/_trent/fas', 'CreateForwardAccessSession'),
    route('/_trent/infrastructure-session', 'CreateInfrastructureSession'),
    route('/_trent/explain', 'ExplainOwnCall'),
    route('/_trent/who-can', 'ListOwnAccess'),
    route('/_trent/quotas', 'GetOwnQuotas'),
    route('/_trent/deployment', 'GetDeployment'),
  ]
}

/** Built files of the console, in a checkout and in a package. */
const consoleDirectory = join(import.meta.dirname, '../../console/dist')

/** @throws {ConfigError} when a client secret of the console cannot be used */
export async function requireClientSecrets(
  config: Pick<Config, 'console' | 'signInProviders'>,
): Promise<void> {
  const [wrong] = config.console ? await wrongClientSecrets(config.signInProviders) : []
  if (wrong !== undefined) throw new ConfigError(wrong)
}

function pageRoutes({ config, log }: Pick<Serving, 'config' | 'log'>): readonly Route[] {
  if (!config.console) return []
  const { region, regions, signInProviders: providers, webIdentityHosts: privateHosts } = config
  const files = createBuiltFiles(isSea() ? pagesInExecutable() : pagesOnDisk(consoleDirectory))
  const calls = createCodeExchange({
    fetchDocument: createFetchDocument(privateHosts),
    postForm: createPostForm(privateHosts),
    readSecret: readClientSecret,
    privateHosts,
    monotonic: () => performance.now(),
    onError: (error) => log.warn({ err: error }, 'an identity provider failed at a sign-in'),
  })
  return consoleRoutes(files, { region, regions: regions.names, version }, { providers, calls })
}

async function serveAsJson(
  serve: Serving['serve'],
  request: RawRequest,
  operation: string,
): Promise<RawResponse> {
  return asJson(await serve(request, { service: 'trent', operation }))
}

function asJson({ status, headers, body }: RawResponse): RawResponse {
  return { status, body, headers: { ...headers, 'Content-Type': 'application/json' } }
}

const testBodyBytesMax = 4096

/** @param open to requests of this machine alone unless given */
function testRoutes(serve: Serving['serve'], open: Route['open'] = false): readonly Route[] {
  const route = (path: string, operations: { GET?: string; POST: string }): Route => ({
    path,
    methods: operations.GET === undefined ? ['POST'] : ['GET', 'POST'],
    open,
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
