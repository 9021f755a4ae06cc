/** The settings of the public port: its address, TLS, proxies, and the token of `/metrics`. @module */
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { isLoopback } from '../model/address.ts'
import { parseProxies } from '../wire/proxies.ts'
import { SettingWrong } from '../webhooks/webhook-settings.ts'

/** Absolute paths. */
export interface TlsPaths {
  readonly cert: string
  readonly key: string
  readonly clientCa?: string
  /** The settings that name them; those of the public port by default. */
  readonly settings?: TlsSettingNames
}

export interface TlsSettingNames {
  readonly cert: string
  readonly key: string
  readonly clientCa: string
}

export const publicTls: TlsSettingNames = {
  cert: 'TRENT_TLS_CERT',
  key: 'TRENT_TLS_KEY',
  clientCa: 'TRENT_TLS_CLIENT_CA',
}

export interface ListenSettings {
  /** The token that `/metrics` requires. */
  readonly metricsToken?: Uint8Array
  readonly listen: { readonly host: string; readonly port: number }
  /** How long a server that is to stop goes on serving after readiness has said so. */
  readonly stopDelaySeconds: number
  /** Addresses and networks of the proxies that may report a client's address. */
  readonly trustedProxies: readonly string[]
  /** Without it, the port speaks plain HTTP. */
  readonly tls?: TlsPaths
}

export const listenNames = [
  'TRENT_LISTEN',
  'TRENT_ALLOW_PLAINTEXT_HTTP',
  'TRENT_TLS_CERT',
  'TRENT_TLS_KEY',
  'TRENT_TLS_CLIENT_CA',
  'TRENT_METRICS_TOKEN',
  'TRENT_STOP_DELAY_SECONDS',
  'TRENT_TRUSTED_PROXIES',
] as const
type Settings = Readonly<Partial<Record<(typeof listenNames)[number], string>>>

/** @throws {SettingWrong} */
export function readListenSettings(settings: Settings): ListenSettings {
  const listen = parseListen(settings.TRENT_LISTEN ?? '127.0.0.1:4599', 'TRENT_LISTEN')
  const plaintext = settings.TRENT_ALLOW_PLAINTEXT_HTTP ?? 'false'
  if (plaintext !== 'true' && plaintext !== 'false') {
    throw new SettingWrong('TRENT_ALLOW_PLAINTEXT_HTTP must be true or false')
  }
  const tls = readTlsSettings(settings)
  if (tls !== undefined && plaintext === 'true') {
    throw new SettingWrong(
      'TRENT_ALLOW_PLAINTEXT_HTTP=true is refused with TRENT_TLS_CERT: the port takes TLS only',
    )
  }
  if (tls === undefined && plaintext === 'false' && !isLoopback(listen.host)) {
    throw new SettingWrong(
      `TRENT_LISTEN: ${listen.host} is not a loopback address, and there is no TLS: ` +
        'set TRENT_TLS_CERT and TRENT_TLS_KEY, ' +
        'or TRENT_ALLOW_PLAINTEXT_HTTP=true to serve plain HTTP anyway',
    )
  }
  const token = metricsToken(settings.TRENT_METRICS_TOKEN)
  const stopDelaySeconds = readStopDelay(settings.TRENT_STOP_DELAY_SECONDS ?? '0')
  const rest = { ...(tls && { tls }), ...(token && { metricsToken: token }) }
  const trustedProxies = readTrustedProxies(settings.TRENT_TRUSTED_PROXIES)
  return { listen, stopDelaySeconds, trustedProxies, ...rest }
}

/** Supervisors kill a process that takes longer. */
const stopDelayMax = 300

function readStopDelay(text: string): number {
  const seconds = Number(text)
  if (/^\d{1,3}$/.test(text) && seconds <= stopDelayMax) return seconds
  throw new SettingWrong(
    `TRENT_STOP_DELAY_SECONDS must be a whole number from 0 to ${stopDelayMax}`,
  )
}

/** @param name of the setting @throws {SettingWrong} */
export function parseListen(text: string, name: string): ListenSettings['listen'] {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host === undefined || port > 65535 || (isIP(host) === 0 && host !== 'localhost')) {
    throw new SettingWrong(`${name} must be an IP address or localhost, and a port: 127.0.0.1:4599`)
  }
  return { host, port }
}

function readTlsSettings(settings: Settings): TlsPaths | undefined {
  const { TRENT_TLS_CERT: cert, TRENT_TLS_KEY: key, TRENT_TLS_CLIENT_CA: clientCa } = settings
  if (cert === undefined && key === undefined && clientCa === undefined) return undefined
  if (cert === undefined || key === undefined) {
    if (cert === key) throw new SettingWrong('TRENT_TLS_CLIENT_CA needs TRENT_TLS_CERT')
    throw new SettingWrong('TRENT_TLS_CERT and TRENT_TLS_KEY need each other')
  }
  return {
    cert: resolve(cert),
    key: resolve(key),
    ...(clientCa !== undefined && { clientCa: resolve(clientCa) }),
  }
}

function metricsToken(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined
  // The message never includes the value, because it is a secret.
  if (!/^[\x21-\x7e]{16,256}$/.test(text)) {
    throw new SettingWrong(
      'TRENT_METRICS_TOKEN must be 16 to 256 printable characters without spaces',
    )
  }
  return Buffer.from(text)
}

function readTrustedProxies(text: string | undefined): readonly string[] {
  try {
    return text === undefined ? [] : parseProxies(text)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    const wanted = 'it must be addresses and networks separated by commas: 10.0.0.5,10.1.0.0/16'
    throw new SettingWrong(`TRENT_TRUSTED_PROXIES: ${cause.message}; ${wanted}`, { cause })
  }
}
