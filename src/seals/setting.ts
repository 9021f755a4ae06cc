/** The setting TRENT_SEAL: which seal protects the root key, and where to find it. @module */
import { join, resolve } from 'node:path'
import { isWithin } from '../disk/within.ts'
import { requireUrl, SettingWrong } from '../webhooks/webhook-settings.ts'
import { readPkcs11Uri } from '../pkcs11/pkcs11-uri.ts'
import type { KmsKey } from './kms.ts'
import type { Pkcs11Key } from './pkcs11.ts'
import { SealRefused } from './seal.ts'
import { isPcr, type Tpm2Key } from './tpm2.ts'

export type SealSetting =
  /** `path` is absolute. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'passphrase' }
  | { readonly kind: 'shamir' }
  | { readonly kind: 'kms'; readonly key: KmsKey }
  /** `uri` is the whole value of TRENT_SEAL. */
  | { readonly kind: 'pkcs11'; readonly key: Pkcs11Key; readonly uri: string }
  | { readonly kind: 'tpm2'; readonly key: Tpm2Key }

/** Settings of all seals, whichever is in use. */
export interface SealOptions {
  /** URL of the KMS, if it is not AWS's. */
  readonly kmsEndpoint?: string
  /** Names of environment variables that the library of an HSM gets. */
  readonly pkcs11Environment?: readonly string[]
  /** How tpm2-tools reach the TPM. */
  readonly tpm2Tcti?: string
}

export interface SealSettings {
  /** The seal of the root key. */
  readonly seal: SealSetting
  readonly sealOptions: SealOptions
}

export const sealNames = [
  'TRENT_SEAL',
  'TRENT_SEAL_KMS_ENDPOINT',
  'TRENT_PKCS11_ENVIRONMENT',
  'TRENT_TPM2_TCTI',
] as const

/** The seal that the settings name: by default the key file of the data directory. @throws {SettingWrong} */
export function readSealSettings(
  settings: Readonly<Partial<Record<(typeof sealNames)[number], string>>>,
  dataDirectory: string,
): SealSettings {
  const { TRENT_SEAL: text, TRENT_SEAL_KMS_ENDPOINT: kmsEndpoint } = settings
  // The seal's key travels in the answer.
  if (kmsEndpoint !== undefined) requireUrl('TRENT_SEAL_KMS_ENDPOINT', kmsEndpoint)
  const names = settings.TRENT_PKCS11_ENVIRONMENT?.split(',')
  if (names?.every((name) => variableName.test(name)) === false) {
    throw new SettingWrong('TRENT_PKCS11_ENVIRONMENT: names of environment variables, with commas')
  }
  const { TRENT_TPM2_TCTI: tpm2Tcti } = settings
  if (tpm2Tcti !== undefined && !tctiForm.test(tpm2Tcti)) {
    throw new SettingWrong('TRENT_TPM2_TCTI: a TCTI of tpm2-tools, for example device:/dev/tpmrm0')
  }
  const sealOptions = {
    ...(kmsEndpoint !== undefined && { kmsEndpoint }),
    ...(names && { pkcs11Environment: names }),
    ...(tpm2Tcti !== undefined && { tpm2Tcti }),
  }
  if (text === undefined) {
    return { seal: { kind: 'file', path: join(dataDirectory, 'seal.key') }, sealOptions }
  }
  try {
    return { seal: parseSeal(text, sealOptions), sealOptions }
  } catch (cause) {
    if (!(cause instanceof SealRefused)) throw cause
    throw new SettingWrong(`TRENT_SEAL: ${cause.message}`, { cause })
  }
}

/** Trent's own variables are not for the library of an HSM. */
const variableName = /^(?!TRENT_)[A-Za-z_][A-Za-z0-9_]{0,127}$/
const tctiForm = /^[a-z0-9_-]{1,32}(?::\P{Cc}{1,512})?$/u
const kmsArn = /^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:(?:key|alias)\/[\w/-]{1,256}$/

/** @throws {SealRefused} */
export function parseSeal(text: string, options: SealOptions = {}): SealSetting {
  const { kmsEndpoint: endpoint, pkcs11Environment: environment = [], tpm2Tcti: tcti } = options
  const [, kind, rest = ''] = /^(\w+)(?::(.+))?$/.exec(text) ?? []
  if (kind === 'file' && rest !== '' && !/\p{Cc}/u.test(rest)) return { kind, path: resolve(rest) }
  if ((kind === 'passphrase' || kind === 'shamir') && rest === '') return { kind }
  if (kind === 'kms' && kmsArn.test(rest)) {
    return { kind, key: { arn: rest, ...(endpoint !== undefined && { endpoint }) } }
  }
  if (kind === 'pkcs11') {
    const named = readPkcs11Uri(rest)
    if (typeof named === 'string') throw new SealRefused(named)
    return { kind, key: { ...named, environment }, uri: text }
  }
  if (kind === 'tpm2')
    return { kind, key: { ...readTpm2(rest), ...(tcti !== undefined && { tcti }) } }
  throw new SealRefused(
    'a seal is file:PATH, passphrase, shamir, kms:ARN of a key or an alias, pkcs11: and the rest of a ' +
      'PKCS #11 URI, or tpm2',
  )
}

/** @param rest `pcrs=7,11;auth-source=file:/path`, each part optional @throws {SealRefused} */
function readTpm2(rest: string): Tpm2Key {
  const parts = rest === '' ? [] : rest.split(';')
  const [pcrs] = parts.flatMap((part) => pcrsForm.exec(part)?.[1] ?? [])
  const [authFile] = parts.flatMap((part) => authForm.exec(part)?.[1] ?? [])
  const numbers = pcrs?.split(',').map(Number) ?? []
  const understood = [pcrs, authFile].filter((each) => each !== undefined).length
  const isRight = numbers.every(isPcr) && new Set(numbers).size === numbers.length
  if (understood !== parts.length || !isRight) {
    throw new SealRefused(
      'a TPM is tpm2, then perhaps a colon, pcrs= with numbers from 0 to 23 and commas, a semicolon, ' +
        'and auth-source=file: with an absolute path',
    )
  }
  const sorted = numbers.toSorted((one, other) => one - other)
  return { pcrs: sorted, ...(authFile !== undefined && { authFile }) }
}

const pcrsForm = /^pcrs=(\d{1,2}(?:,\d{1,2})*)$/
const authForm = /^auth-source=file:(\/\P{Cc}{1,4095})$/u

/** The value of TRENT_SEAL that means this setting. */
export function sealText(setting: SealSetting): string {
  if (setting.kind === 'file') return `file:${setting.path}`
  if (setting.kind === 'pkcs11') return setting.uri
  if (setting.kind === 'tpm2') return tpm2Text(setting.key)
  return setting.kind === 'kms' ? `kms:${setting.key.arn}` : setting.kind
}

function tpm2Text({ pcrs, authFile }: Tpm2Key): string {
  const parts = [
    ...(pcrs.length > 0 ? [`pcrs=${pcrs.join(',')}`] : []),
    ...(authFile === undefined ? [] : [`auth-source=file:${authFile}`]),
  ]
  return parts.length === 0 ? 'tpm2' : `tpm2:${parts.join(';')}`
}

/** Whether the key file lies inside the data directory, so that a copy of it has both. */
export function isBesideData(setting: SealSetting, dataDirectory: string): boolean {
  return setting.kind === 'file' && isWithin(dataDirectory, setting.path)
}
