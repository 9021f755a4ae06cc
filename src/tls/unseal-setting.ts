/** The settings of the listener for unsealing: its address, and the files of its TLS. @module */
import { SettingWrong } from '../webhooks/webhook-settings.ts'
import { readOwnListener } from './own-listener.ts'
import type { ListenSettings, TlsPaths } from './setting.ts'

export interface UnsealSettings {
  /** Absent: a server is unsealed through the operator door alone. */
  readonly unsealListen?: {
    readonly host: string
    readonly port: number
    readonly tls: TlsPaths
  }
}

const listenerNames = {
  listen: 'TRENT_UNSEAL_LISTEN',
  cert: 'TRENT_UNSEAL_TLS_CERT',
  key: 'TRENT_UNSEAL_TLS_KEY',
  clientCa: 'TRENT_UNSEAL_TLS_CLIENT_CA',
} as const

export const unsealNames = Object.values(listenerNames)

/**
 * @param of.tls the files of the public port, which are the default
 * @param of.sealKind what the settings say; a recovery seal is always of shares
 * @throws {SettingWrong}
 */
export function readUnsealSettings(
  settings: Readonly<Partial<Record<(typeof unsealNames)[number], string>>>,
  of: Pick<ListenSettings, 'tls'> & { readonly sealKind: string },
): UnsealSettings {
  const own = readOwnListener(listenerNames, settings, of.tls)
  if (own === undefined) return {}
  if (own.tls.clientCa === undefined && of.sealKind === 'passphrase') {
    throw new SettingWrong(
      'TRENT_UNSEAL_LISTEN with TRENT_SEAL=passphrase needs TRENT_UNSEAL_TLS_CLIENT_CA: ' +
        'anybody could guess the passphrase',
    )
  }
  return { unsealListen: { ...own.listen, tls: own.tls } }
}
