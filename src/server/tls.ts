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

/** The certificates of both listeners; undefined for a listener without TLS. */
export interface ServerCertificates {
  readonly main?: Certificates | undefined
  readonly xksProxy?: Certificates | undefined
  readonly reload: () => Promise<void>
  readonly close: () => Promise<void>
}

/** @throws {TlsRefused} */
export async function certificatesOf(
  { tls, xksProxy }: Pick<Config, 'tls' | 'xksProxy'>,
  options: Pick<ServerOptions, 'log' | 'time'>,
): Promise<ServerCertificates> {
  const opened = [await openFor(tls, 'the server', options)]
  try {
    opened.push(await openFor(xksProxy?.tls, 'XKS proxies', options))
  } catch (error) {
    await opened[0]?.close()
    throw error
  }
  const [main, proxy] = opened
  return {
    main,
    xksProxy: proxy,
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

/** From now on, every worker uses changed files for new connections. */
export function followCertificates(
  certificates: Certificates | undefined,
  { listener, workers, meter, time: { system } = processTime }: Following,
): void {
  if (certificates === undefined) return
  const { expiresAt, refused } = certificates
  certificates.follow(async (changed) => {
    listener.useTls(changed)
    await workers.useTls(changed)
  })
  meter.observe({
    trent_tls_certificate_expiry_seconds: () => (expiresAt() - system()) / 1000,
    trent_tls_files_refused: () => Number(refused() !== undefined),
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
