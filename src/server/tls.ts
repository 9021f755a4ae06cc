/** The certificates of a server: opened before anything else, logged and measured. @module */
import type { Config } from '../config.ts'
import { processTime, type TimeSource } from '../jobs/clock.ts'
import type { Meter } from '../metrics/meter.ts'
import { openCertificates, type Certificates } from '../tls/certificates.ts'
import type { Listener } from '../wire/server.ts'
import type { ServerOptions } from './options.ts'
import type { Workers } from './workers/workers.ts'

interface Following {
  readonly listener: Pick<Listener, 'useTls'>
  readonly workers: Pick<Workers, 'useTls'>
  readonly meter: Meter
  readonly time?: TimeSource | undefined
}

/** Undefined without TLS. @throws {TlsRefused} */
export async function certificatesOf(
  { tls: paths }: Pick<Config, 'tls'>,
  { log, time = processTime }: Pick<ServerOptions, 'log' | 'time'>,
): Promise<Certificates | undefined> {
  if (paths === undefined) return undefined
  return openCertificates({
    paths,
    now: time.system,
    onUsed: (expiresAt) => log.info({ expiresAt }, 'other TLS certificates are in use'),
    onRefused: (why) =>
      log.error({ why }, 'new TLS files are refused: the former ones stay in use'),
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
