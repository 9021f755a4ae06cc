/** The setting TRENT_SEAL: which seal protects the root key, and where to find it. @module */
import { join, relative, resolve } from 'node:path'
import { requireUrl, SettingWrong } from '../webhooks/webhook-settings.ts'
import type { KmsKey } from './kms.ts'
import { SealRefused } from './seal.ts'

export type SealSetting =
  /** `path` is absolute. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'passphrase' }
  | { readonly kind: 'shamir' }
  | { readonly kind: 'kms'; readonly key: KmsKey }

/** Settings of all seals, whichever is in use. */
export interface SealOptions {
  /** URL of the KMS, if it is not AWS's. */
  readonly kmsEndpoint?: string
}

export interface SealSettings {
  /** The seal of the root key. */
  readonly seal: SealSetting
  readonly sealOptions: SealOptions
}

export const sealNames = ['TRENT_SEAL', 'TRENT_SEAL_KMS_ENDPOINT'] as const

/** The seal that the settings name: by default the key file of the data directory. @throws {SettingWrong} */
export function readSealSettings(
  settings: Readonly<Partial<Record<(typeof sealNames)[number], string>>>,
  dataDirectory: string,
): SealSettings {
  const { TRENT_SEAL: text, TRENT_SEAL_KMS_ENDPOINT: kmsEndpoint } = settings
  // The seal's key travels in the answer.
  if (kmsEndpoint !== undefined) requireUrl('TRENT_SEAL_KMS_ENDPOINT', kmsEndpoint)
  const sealOptions = kmsEndpoint === undefined ? {} : { kmsEndpoint }
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

const kmsArn = /^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:(?:key|alias)\/[\w/-]{1,256}$/

/** @throws {SealRefused} */
export function parseSeal(text: string, { kmsEndpoint: endpoint }: SealOptions = {}): SealSetting {
  const [, kind, rest = ''] = /^(\w+)(?::(.+))?$/.exec(text) ?? []
  if (kind === 'file' && rest !== '' && !/\p{Cc}/u.test(rest)) return { kind, path: resolve(rest) }
  if ((kind === 'passphrase' || kind === 'shamir') && rest === '') return { kind }
  if (kind === 'kms' && kmsArn.test(rest)) {
    return { kind, key: { arn: rest, ...(endpoint !== undefined && { endpoint }) } }
  }
  throw new SealRefused('a seal is file:PATH, passphrase, shamir, or kms:ARN of a key or an alias')
}

/** The value of TRENT_SEAL that means this setting. */
export function sealText(setting: SealSetting): string {
  if (setting.kind === 'file') return `file:${setting.path}`
  return setting.kind === 'kms' ? `kms:${setting.key.arn}` : setting.kind
}

/** Whether the key file lies inside the data directory, so that a copy of it has both. */
export function isBesideData(setting: SealSetting, dataDirectory: string): boolean {
  return setting.kind === 'file' && !relative(dataDirectory, setting.path).startsWith('..')
}
