/** The certificates of a server: opened before anything else, logged and measured. @module */
import type { Config } from '../config.ts'
import { processTime, type TimeSource } from '../jobs/clock.ts'
import type { Meter } from '../metrics/meter.ts'
import { openCertificates, type Certificates } from '../tls/certificates.ts'
import type { TlsPaths } from '../tls/setting.ts'
import type { Listener } from '../wire/server.ts'
import type { ServerOptions } from './options.ts'
import type { Workers } from './workers/workers.ts'

interface Following {
  readonly listener: Pick<Listener, 'useTls'>
  readonly workers: Pick<Workers, 'useTls'>
  readonly meter: Meter
  readonly time?: TimeSource | undefined
}

/** The certificates of the listeners; undefined for a listener without TLS. */
export interface ServerCertificates {
  readonly main?: Certificates | undefined
  readonly xksProxy?: Certificates | undefined
  readonly unseal?: Certificates | undefined
  readonly reload: () => Promise<void>
  readonly close: () => Promise<void>
}

/** @throws {TlsRefused} */
export async function certificatesOf(
  { tls, xksProxy, unsealListen }: Pick<Config, 'tls' | 'xksProxy' | 'unsealListen'>,
  options: Pick<ServerOptions, 'log' | 'time'>,
): Promise<ServerCertificates> {
  const opened = [await openFor(tls, 'the server', options)]
  try {
    opened.push(await openFor(xksProxy?.tls, 'XKS proxies', options))
    opened.push(await openFor(unsealListen?.tls, 'unsealing', options))
  } catch (error) {
    for (const each of opened) await each?.close()
    throw error
  }
  const [main, proxy, unseal] = opened
  return {
    main,
    xksProxy: proxy,
    unseal,
    async reload() {
      for (const each of opened) await each?.reload()
    },
    async close() {
      for (const each of opened) await each?.close()
    },
  }
}

async function openFor(
  paths: TlsPaths | undefined,
  listener: string,
  { log, time = processTime }: Pick<ServerOptions, 'log' | 'time'>,
): Promise<Certificates | undefined> {
  if (paths === undefined) return undefined
  return openCertificates({
    paths,
    now: time.system,
    onUsed: (expiresAt) => log.info({ expiresAt, listener }, 'other TLS certificates are in use'),
    onRefused: (why) =>
      log.error({ why, listener }, 'new TLS files are refused: the former ones stay in use'),
  })
}

/**
 * From now on, every worker uses changed files for new connections. The figures are also those of the port
 * for unsealing.
 */
export function followCertificates(
  { main, unseal }: Pick<ServerCertificates, 'main' | 'unseal'>,
  { listener, workers, meter, time: { system } = processTime }: Following,
): void {
  main?.follow(async (changed) => {
    listener.useTls(changed)
    await workers.useTls(changed)
  })
  const all = [main, unseal].filter((each) => each !== undefined)
  if (all.length === 0) return
  const firstExpiry = (): number => Math.min(...all.map(({ expiresAt }) => expiresAt()))
  meter.observe({
    trent_tls_certificate_expiry_seconds: () => (firstExpiry() - system()) / 1000,
    trent_tls_files_refused: () => Number(all.some(({ refused }) => refused() !== undefined)),
  })
}

/** The same for the listener of XKS proxies. */
export function followProxyCertificates(
  certificates: Certificates,
  { listener, meter, time: { system } = processTime }: Omit<Following, 'workers'>,
): void {
  certificates.follow((changed) => listener.useTls(changed))
  meter.observe({
    trent_xks_proxy_tls_certificate_expiry_seconds: () =>
      (certificates.expiresAt() - system()) / 1000,
    trent_xks_proxy_tls_files_refused: () => Number(certificates.refused() !== undefined),
  })
}
