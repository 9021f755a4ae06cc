/** The settings of the listener of XKS proxies: its address, and its files of TLS. @module */
import { resolve } from 'node:path'
import { SettingWrong } from '../webhooks/webhook-settings.ts'
import {
  listenNames,
  parseListen,
  readListenSettings,
  type ListenSettings,
  type TlsPaths,
} from './setting.ts'

export interface XksProxyListen {
  readonly listen: { readonly host: string; readonly port: number }
  readonly tls: TlsPaths
}

/** The public port, and the listener of XKS proxies. */
export interface Listeners extends ListenSettings {
  /** Absent if no XKS proxy is served. */
  readonly xksProxy?: XksProxyListen
}

const xksProxyNames = [
  'TRENT_XKS_PROXY_LISTEN',
  'TRENT_XKS_PROXY_TLS_CERT',
  'TRENT_XKS_PROXY_TLS_KEY',
  'TRENT_XKS_PROXY_TLS_CLIENT_CA',
] as const
type Settings = Readonly<Partial<Record<(typeof xksProxyNames)[number], string>>>

export const listenerNames = [...listenNames, ...xksProxyNames] as const

/** @throws {SettingWrong} */
export function readListeners(
  settings: Settings & Parameters<typeof readListenSettings>[0],
): Listeners {
  const port = readListenSettings(settings)
  const xksProxy = readXksProxy(settings, port.tls)
  return { ...port, ...(xksProxy && { xksProxy }) }
}

/**
 * @param shared the files of the public port, for a listener without files of its own
 * @throws {SettingWrong}
 */
function readXksProxy(
  settings: Settings,
  shared: TlsPaths | undefined,
): XksProxyListen | undefined {
  const {
    TRENT_XKS_PROXY_LISTEN: at,
    TRENT_XKS_PROXY_TLS_CERT: cert,
    TRENT_XKS_PROXY_TLS_KEY: key,
    TRENT_XKS_PROXY_TLS_CLIENT_CA: clientCa,
  } = settings
  if (at === undefined) {
    if (cert === undefined && key === undefined && clientCa === undefined) return undefined
    throw new SettingWrong('TRENT_XKS_PROXY_TLS_* need TRENT_XKS_PROXY_LISTEN')
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new SettingWrong('TRENT_XKS_PROXY_TLS_CERT and TRENT_XKS_PROXY_TLS_KEY need each other')
  }
  const own =
    cert !== undefined && key !== undefined
      ? { cert: resolve(cert), key: resolve(key) }
      : shared && { cert: shared.cert, key: shared.key }
  if (own === undefined) {
    throw new SettingWrong(
      'TRENT_XKS_PROXY_LISTEN takes TLS only: set TRENT_XKS_PROXY_TLS_CERT and ' +
        'TRENT_XKS_PROXY_TLS_KEY, or TRENT_TLS_CERT and TRENT_TLS_KEY',
    )
  }
  // Clients of the public port prove themselves to other authorities than AWS KMS does.
  const tls = { ...own, ...(clientCa !== undefined && { clientCa: resolve(clientCa) }) }
  return { listen: parseListen(at, 'TRENT_XKS_PROXY_LISTEN'), tls }
}
