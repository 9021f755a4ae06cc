/** The settings of the listener for unsealing: its address, and the files of its TLS. @module */
import { resolve } from 'node:path'
import { SettingWrong } from '../webhooks/webhook-settings.ts'
import { parseListen, publicTls, type ListenSettings, type TlsPaths } from './setting.ts'

export interface UnsealSettings {
  /** Absent: a server is unsealed through the operator door alone. */
  readonly unsealListen?: {
    readonly host: string
    readonly port: number
    readonly tls: TlsPaths
  }
}

export const unsealNames = [
  'TRENT_UNSEAL_LISTEN',
  'TRENT_UNSEAL_TLS_CERT',
  'TRENT_UNSEAL_TLS_KEY',
  'TRENT_UNSEAL_TLS_CLIENT_CA',
] as const
type Settings = Readonly<Partial<Record<(typeof unsealNames)[number], string>>>

/**
 * @param of.tls the files of the public port, which are the default
 * @param of.sealKind what the settings say; a recovery seal is always of shares
 * @throws {SettingWrong}
 */
export function readUnsealSettings(
  settings: Settings,
  of: Pick<ListenSettings, 'tls'> & { readonly sealKind: string },
): UnsealSettings {
  const { TRENT_UNSEAL_LISTEN: listen, ...files } = settings
  const { TRENT_UNSEAL_TLS_CERT: cert, TRENT_UNSEAL_TLS_KEY: key } = files
  const clientCa = files.TRENT_UNSEAL_TLS_CLIENT_CA
  if (listen === undefined) {
    const given = [cert, key, clientCa].some((each) => each !== undefined)
    if (given) throw new SettingWrong('TRENT_UNSEAL_TLS_CERT and its like need TRENT_UNSEAL_LISTEN')
    return {}
  }
  const address = parseListen(listen, 'TRENT_UNSEAL_LISTEN')
  if ((cert === undefined) !== (key === undefined)) {
    throw new SettingWrong('TRENT_UNSEAL_TLS_CERT and TRENT_UNSEAL_TLS_KEY need each other')
  }
  const own = cert !== undefined && key !== undefined ? { cert, key } : of.tls
  if (own === undefined) {
    throw new SettingWrong(
      'TRENT_UNSEAL_LISTEN needs TLS: set TRENT_UNSEAL_TLS_CERT and TRENT_UNSEAL_TLS_KEY',
    )
  }
  if (clientCa === undefined && of.sealKind === 'passphrase') {
    throw new SettingWrong(
      'TRENT_UNSEAL_LISTEN with TRENT_SEAL=passphrase needs TRENT_UNSEAL_TLS_CLIENT_CA: ' +
        'anybody could guess the passphrase',
    )
  }
  const tls = {
    cert: resolve(own.cert),
    key: resolve(own.key),
    // Clients of the public port prove themselves to other authorities than the holders of shares.
    ...(clientCa !== undefined && { clientCa: resolve(clientCa) }),
    settings: {
      cert: cert === undefined ? publicTls.cert : 'TRENT_UNSEAL_TLS_CERT',
      key: key === undefined ? publicTls.key : 'TRENT_UNSEAL_TLS_KEY',
      clientCa: 'TRENT_UNSEAL_TLS_CLIENT_CA',
    },
  }
  return { unsealListen: { ...address, tls } }
}
