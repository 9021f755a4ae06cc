/** The settings of the public port and of the listener of XKS proxies. @module */
import { readOwnListener, type OwnListener } from './own-listener.ts'
import { listenNames, readListenSettings, type ListenSettings } from './setting.ts'

/** The public port, and the listener of XKS proxies. */
export interface Listeners extends ListenSettings {
  /** Absent if no XKS proxy is served. */
  readonly xksProxy?: OwnListener
}

const xksProxyNames = {
  listen: 'TRENT_XKS_PROXY_LISTEN',
  cert: 'TRENT_XKS_PROXY_TLS_CERT',
  key: 'TRENT_XKS_PROXY_TLS_KEY',
  clientCa: 'TRENT_XKS_PROXY_TLS_CLIENT_CA',
} as const

export const listenerNames = [...listenNames, ...Object.values(xksProxyNames)] as const

/** @throws {SettingWrong} */
export function readListeners(
  settings: Readonly<Partial<Record<(typeof listenerNames)[number], string>>>,
): Listeners {
  const port = readListenSettings(settings)
  const xksProxy = readOwnListener(xksProxyNames, settings, port.tls)
  return { ...port, ...(xksProxy && { xksProxy }) }
}
