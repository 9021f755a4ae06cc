/** The listener of the XKS proxies that Trent serves. Worker 0 alone has it. @module */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { systemRandom } from '../crypto/entropy.ts'
import type { TimeSource } from '../jobs/clock.ts'
import type { Meter } from '../metrics/meter.ts'
import type { Certificates } from '../tls/certificates.ts'
import type { Handler } from '../wire/exchange.ts'
import { pathOf } from '../wire/headers.ts'
import { healthRoutes, routeTable, type Readiness } from '../wire/routes.ts'
import { listen, type Listener } from '../wire/server.ts'
import { methodNotAllowed, xksBodyBytesMax } from '../wire/xks-proxy.ts'
import { followProxyCertificates } from './tls.ts'

export interface XksDoorDependencies {
  readonly certificates: Certificates | undefined
  readonly serve: Handler
  readonly readiness: () => Promise<Readiness>
  readonly meter: Meter
  readonly log: Logger
  readonly time?: TimeSource | undefined
}

/** Returns one listener; none if the settings name no address. */
export async function listenToXksClients(
  { xksProxy, trustedProxies }: Pick<Config, 'xksProxy' | 'trustedProxies'>,
  { certificates, serve, readiness, meter, log, time }: XksDoorDependencies,
): Promise<readonly Listener[]> {
  if (xksProxy === undefined || certificates === undefined) return []
  const routes = routeTable(healthRoutes(readiness))
  const handler: Handler = (request) => {
    if (request.method === 'POST') return serve(request)
    // Load balancers ask so for the health of the server.
    const health = request.method === 'GET' ? routes.get(pathOf(request.target)) : undefined
    return health?.handle(request) ?? Promise.resolve(methodNotAllowed(systemRandom.uuid()))
  }
  const limits = { bodyBytesMax: xksBodyBytesMax }
  const tls = certificates.files()
  const at = { ...xksProxy.listen, tls, listener: 'xks-proxy', limits, trustedProxies } as const
  const listener = await listen({ ...at, log }, handler)
  followProxyCertificates(certificates, { listener, meter, time })
  return [listener]
}
