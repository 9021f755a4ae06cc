/**
 * A listener besides the public port: its address, and files of TLS of its own or those of the public port.
 * @module
 */
import { resolve } from 'node:path'
import { SettingWrong } from '../webhooks/webhook-settings.ts'
import { parseListen, publicTls, type TlsPaths, type TlsSettingNames } from './setting.ts'

export interface OwnListener {
  readonly listen: { readonly host: string; readonly port: number }
  readonly tls: TlsPaths
}

/**
 * Returns undefined without an address.
 * @param names of the settings
 * @param shared the files of the public port, for a listener without files of its own
 * @throws {SettingWrong}
 */
export function readOwnListener<Name extends string>(
  names: Readonly<Record<'listen' | keyof TlsSettingNames, Name>>,
  settings: Readonly<Partial<Record<Name, string>>>,
  shared: TlsPaths | undefined,
): OwnListener | undefined {
  const at = settings[names.listen]
  const [cert, key, clientCa] = [names.cert, names.key, names.clientCa].map((name) => {
    const path = settings[name]
    return path === undefined ? undefined : resolve(path)
  })
  if (at === undefined) {
    if (cert === undefined && key === undefined && clientCa === undefined) return undefined
    throw new SettingWrong(`${names.cert} and its like need ${names.listen}`)
  }
  const listen = parseListen(at, names.listen)
  if ((cert === undefined) !== (key === undefined)) {
    throw new SettingWrong(`${names.cert} and ${names.key} need each other`)
  }
  const files = cert !== undefined && key !== undefined ? { cert, key } : shared
  if (files === undefined) {
    throw new SettingWrong(
      `${names.listen} needs TLS: set ${names.cert} and ${names.key}, ` +
        `or ${publicTls.cert} and ${publicTls.key}`,
    )
  }
  const { cert: certName, key: keyName } = cert === undefined ? publicTls : names
  const tls = {
    cert: files.cert,
    key: files.key,
    // Clients of the public port prove themselves to other authorities than those of this listener.
    ...(clientCa !== undefined && { clientCa }),
    settings: { cert: certName, key: keyName, clientCa: names.clientCa },
  }
  return { listen, tls }
}
