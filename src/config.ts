/**
 * Every setting and its default. The settings file and the environment become one frozen `Config`. A
 * wrong setting stops the start with one clear line.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { awsNitroRoot, readRoots } from './crypto/attestation/roots.ts'
import {
  deliveryNames,
  readDeliverySettings,
  type DeliverySettings,
} from './audit/delivery/settings.ts'
import { backupNames, readBackupSettings, type BackupSettings } from './backup/settings.ts'
import { readWebhook, SettingWrong } from './webhooks/webhook-settings.ts'
import type { WebhookTarget } from './webhooks/webhook.ts'
import { nearest } from './model/nearest.ts'
import { isServiceVariable } from './model/service-variables.ts'
import { createRegionTable, parseRegions, type RegionTable } from './model/region.ts'
import type { ProxyClientSettings } from './keystores/external/proxy-client.ts'
import { externalProxyNames, readExternalProxies } from './keystores/external/settings.ts'
import { hsmClusterNames, readHsmClusters, type HsmClusters } from './keystores/hsm/settings.ts'
import {
  databaseNames,
  DatabaseSettingWrong,
  readDatabaseSettings,
  type DatabaseSettings,
} from './store/postgres/settings.ts'
import { createQuotas, profiles, QuotaError, type Quotas } from './throttle/profiles.ts'
import { identityNames, readIdentitySettings, type IdentitySettings } from './console/setting.ts'
import { readSealSettings, sealNames, type SealSettings } from './seals/setting.ts'
import { doorNames, readDoorSettings, type DoorSettings } from './operator/setting.ts'
import { readUnsealSettings, unsealNames, type UnsealSettings } from './tls/unseal-setting.ts'
import { readTestApiSettings, testApiNames, type TestApiSettings } from './tls/test-api-setting.ts'
import { listenerNames, readListeners, type Listeners } from './tls/xks-proxy-setting.ts'

export interface Config
  extends
    Listeners,
    UnsealSettings,
    SealSettings,
    DatabaseSettings,
    DoorSettings,
    TestApiSettings,
    IdentitySettings {
  /** Absolute path. */
  readonly dataDirectory: string
  readonly accountId: string
  /** Fixed root credentials. Without them, the first start creates random ones. */
  readonly root?: { readonly accessKeyId: string; readonly secretAccessKey: Uint8Array }
  /** The Region printed at start. Every Region of the table is served. */
  readonly region: string
  /** A file that every start applies before it serves calls; absolute. */
  readonly applyFile?: string
  readonly regions: RegionTable
  readonly logLevel: LogLevel
  /** Whether the console is served at `/console/`. */
  readonly console: boolean
  /** The age at which a journal segment is closed, whatever its size. */
  readonly auditSegmentSeconds: number
  /** The destination of audit records, and how long the journal keeps them. */
  readonly delivery: DeliverySettings
  /** Backups that the server takes by itself. */
  readonly backups?: BackupSettings
  /** The receiver of key events. */
  readonly eventsWebhook?: WebhookTarget
  readonly quotas: Quotas
  /** Serving threads. */
  readonly workers: number
  /** Number of keys that the caches of each worker have room for. */
  readonly cachedKeys: number
  /** How proxies of external key stores are reached. */
  readonly externalProxies: ProxyClientSettings
  /** The HSM clusters in which accounts may have key stores, by their ids. */
  readonly hsmClusters: HsmClusters
  /** Root certificates for attestation documents, DER each. */
  readonly attestationRoots: readonly Uint8Array[]
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** A setting is wrong. The message is one line for the operator and names the setting. */
export class ConfigError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    // A quoted value may hold anything, including line breaks and terminal escapes.
    super(message.replaceAll(/\p{Cc}+/gu, ' '), options)
  }
}

/** Every setting, by its name in the environment and in the settings file. */
const names = [
  ...listenerNames,
  'TRENT_DATA_DIR',
  ...doorNames,
  ...unsealNames,
  ...databaseNames,
  ...sealNames,
  'TRENT_ACCOUNT_ID',
  'TRENT_ROOT_ACCESS_KEY_ID',
  'TRENT_ROOT_SECRET_ACCESS_KEY',
  'TRENT_REGION',
  'TRENT_REGIONS',
  'TRENT_APPLY',
  'TRENT_LOG_LEVEL',
  ...testApiNames,
  'TRENT_CONSOLE',
  'TRENT_AUDIT_SEGMENT_SECONDS',
  'TRENT_ATTESTATION_ROOTS',
  ...identityNames,
  ...externalProxyNames,
  ...hsmClusterNames,
  'TRENT_QUOTAS',
  'TRENT_QUOTA_OVERRIDES',
  'TRENT_WORKERS',
  'TRENT_CACHED_KEYS',
  'TRENT_EVENTS_WEBHOOK',
  'TRENT_EVENTS_WEBHOOK_SECRET',
  ...deliveryNames,
  ...backupNames,
] as const
type Settings = Readonly<Partial<Record<(typeof names)[number], string>>>

/**
 * The absolute path of the settings file; undefined if there is none.
 * @param file its path. By default `TRENT_CONFIG`, then `trent.env` in the working directory.
 */
export function settingsFile(environment: NodeJS.ProcessEnv, file?: string): string | undefined {
  const inEnvironment = environment['TRENT_CONFIG']
  const named = file ?? (inEnvironment === '' ? undefined : inEnvironment)
  const path = resolve(named ?? 'trent.env')
  return named !== undefined || existsSync(path) ? path : undefined
}

/**
 * Reads the settings file, if any. The environment overrides it.
 * @param file as `settingsFile`
 * @throws {ConfigError}
 */
export function loadConfig(environment: NodeJS.ProcessEnv, file?: string): Config {
  const path = settingsFile(environment, file)
  const fromFile = path === undefined ? {} : readSettings(path)
  // The environment is shared with other programs, but the file is Trent's alone.
  const ours = Object.keys(environment).filter(
    (name) => name.startsWith('TRENT_') && !isServiceVariable(name, environment[name]),
  )
  requireNames('the environment', ours, ['TRENT_CONFIG', ...names])
  if (path !== undefined) requireNames(path, Object.keys(fromFile), names)
  return parseConfig({ ...onlyGiven(fromFile), ...onlyGiven(environment) })
}

function requireNames(origin: string, given: readonly string[], known: readonly string[]): void {
  const odd = given.find((name) => !known.includes(name))
  if (odd === undefined) return
  const meant = nearest(odd, known)
  const hint = meant === undefined ? '' : `: did you mean ${meant}?`
  throw new ConfigError(`${odd} in ${origin} is not a setting of Trent${hint}`)
}

function readSettings(path: string): NodeJS.ProcessEnv {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError(`the settings file ${path} cannot be read`, { cause })
  }
  // `parseEnv` skips a line that it cannot read, and so a setting that an operator relies on.
  const odd = text.split('\n').findIndex((line) => !/^\s*(?:#.*|\w+\s*=.*)?$/.test(line.trimEnd()))
  if (odd !== -1) {
    throw new ConfigError(`line ${odd + 1} of the settings file ${path} is not \`NAME=value\``)
  }
  return parseEnv(text)
}

/** An empty variable counts as not set, as in `TRENT_REGIONS= npm start`. */
function onlyGiven(settings: NodeJS.ProcessEnv): Settings {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = settings[name]
      return value === undefined || value === '' ? [] : [[name, value]]
    }),
  )
}

/** @throws {ConfigError} */
export function parseConfig(settings: Settings): Config {
  const dataDirectory = settings.TRENT_DATA_DIR ?? './data'
  // The path is printed in lines that people paste into a shell.
  if (/\p{Cc}/u.test(dataDirectory)) {
    throw new ConfigError('TRENT_DATA_DIR must not hold control characters')
  }
  const connected = connections(settings, resolve(dataDirectory))
  const accountId = settings.TRENT_ACCOUNT_ID ?? '000000000000'
  if (!/^\d{12}$/.test(accountId)) throw new ConfigError('TRENT_ACCOUNT_ID must be twelve digits')
  const regions = regionTable(settings.TRENT_REGIONS)
  const region = settings.TRENT_REGION ?? 'us-west-2'
  if (regions.partitionOf(region) === undefined) {
    throw new ConfigError(`TRENT_REGION: ${region} is not a known Region; TRENT_REGIONS adds one`)
  }
  const logLevel = logLevels.find((level) => level === (settings.TRENT_LOG_LEVEL ?? 'info'))
  if (logLevel === undefined) {
    throw new ConfigError(`TRENT_LOG_LEVEL must be one of ${logLevels.join(', ')}`)
  }
  const root = rootCredentials(settings, connected.testContainer !== undefined)
  return Object.freeze({
    ...connected,
    dataDirectory: resolve(dataDirectory),
    accountId,
    ...(root && { root }),
    region,
    ...(settings.TRENT_APPLY !== undefined && { applyFile: resolve(settings.TRENT_APPLY) }),
    regions,
    logLevel,
    console: onOff('TRENT_CONSOLE', settings, 'on'),
    auditSegmentSeconds: wholeNumber(
      'TRENT_AUDIT_SEGMENT_SECONDS',
      settings.TRENT_AUDIT_SEGMENT_SECONDS ?? '3600',
      segmentSecondsRange,
    ),
    quotas: quotasOf(settings),
    workers: wholeNumber('TRENT_WORKERS', settings.TRENT_WORKERS ?? '1', workersRange),
    cachedKeys: wholeNumber(
      'TRENT_CACHED_KEYS',
      settings.TRENT_CACHED_KEYS ?? '32000',
      cachedKeysRange,
    ),
    attestationRoots: attestationRoots(settings.TRENT_ATTESTATION_ROOTS),
  })
}

/** A million keys take up to 8 GB for each worker. */
const cachedKeysRange = [1000, 1_000_000] as const
/** More workers than cores gain nothing, and each takes about 40 MB. */
const workersRange = [1, 16] as const
/** At least a minute, because each segment costs a preallocated file. */
const segmentSecondsRange = [60, 86_400] as const

function wholeNumber(
  name: keyof Settings,
  text: string,
  [min, max]: readonly [min: number, max: number],
): number {
  const number = /^\d{1,7}$/.test(text) ? Number(text) : NaN
  if (number >= min && number <= max) return number
  throw new ConfigError(`${name} must be a whole number from ${min} to ${max}`)
}

/** The listeners, the seal, the database, and what is outside: records, backups, events, keys, identities. */
function connections(
  settings: Settings,
  dataDirectory: string,
): Listeners &
  UnsealSettings &
  SealSettings &
  DatabaseSettings &
  DoorSettings &
  TestApiSettings &
  IdentitySettings &
  Pick<Config, 'delivery' | 'backups' | 'eventsWebhook' | 'externalProxies' | 'hsmClusters'> {
  const { TRENT_EVENTS_WEBHOOK: url, TRENT_EVENTS_WEBHOOK_SECRET: secret } = settings
  try {
    const backups = readBackupSettings(settings)
    const eventsWebhook = readWebhook('TRENT_EVENTS_WEBHOOK', url, secret)
    const listeners = readListeners(settings)
    const sealed = readSealSettings(settings, dataDirectory)
    return {
      ...listeners,
      ...sealed,
      ...readUnsealSettings(settings, { ...listeners, sealKind: sealed.seal.kind }),
      ...readDatabaseSettings(settings),
      ...readDoorSettings(settings, dataDirectory),
      ...readTestApiSettings(settings, listeners.listen.host),
      delivery: readDeliverySettings(settings),
      externalProxies: readExternalProxies(settings),
      hsmClusters: readHsmClusters(settings.TRENT_HSM_CLUSTERS),
      ...readIdentitySettings(settings),
      ...(backups && { backups }),
      ...(eventsWebhook && { eventsWebhook }),
    }
  } catch (cause) {
    if (!(cause instanceof SettingWrong || cause instanceof DatabaseSettingWrong)) throw cause
    throw new ConfigError(cause.message, { cause })
  }
}

function quotasOf(settings: Settings): Quotas {
  const given = settings.TRENT_QUOTAS ?? 'unlimited'
  const profile = profiles.find((name) => name === given)
  if (profile === undefined) {
    throw new ConfigError(`TRENT_QUOTAS must be one of ${profiles.join(', ')}`)
  }
  try {
    return createQuotas(profile, settings.TRENT_QUOTA_OVERRIDES)
  } catch (cause) {
    if (!(cause instanceof QuotaError)) throw cause
    throw new ConfigError(`TRENT_QUOTA_OVERRIDES: ${cause.message}`, { cause })
  }
}

/** AWS's own root, unless a file names others. */
function attestationRoots(path: string | undefined): Config['attestationRoots'] {
  if (path === undefined) return [awsNitroRoot()]
  try {
    return readRoots(readFileSync(path, 'utf8'))
  } catch (cause) {
    const reason = cause instanceof RangeError ? cause.message : 'cannot be read'
    throw new ConfigError(`TRENT_ATTESTATION_ROOTS: ${path} ${reason}`, { cause })
  }
}

function onOff(name: keyof Settings, settings: Settings, otherwise: 'on' | 'off'): boolean {
  const value = settings[name] ?? otherwise
  if (value !== 'on' && value !== 'off') throw new ConfigError(`${name} must be on or off`)
  return value === 'on'
}

function regionTable(text: string | undefined): RegionTable {
  try {
    return createRegionTable(parseRegions(text ?? ''))
  } catch (cause) {
    throw new ConfigError(
      `TRENT_REGIONS: ${cause instanceof Error ? cause.message : 'not readable'}`,
    )
  }
}

/** The id and the secret that tests of other emulators use. */
export const testCredential = 'test'

function rootCredentials(settings: Settings, isTestContainer: boolean): Config['root'] {
  const usual = isTestContainer ? testCredential : undefined
  const { TRENT_ROOT_ACCESS_KEY_ID: givenId, TRENT_ROOT_SECRET_ACCESS_KEY: givenSecret } = settings
  const isGiven = givenId !== undefined || givenSecret !== undefined
  const [accessKeyId, secret] = isGiven ? [givenId, givenSecret] : [usual, usual]
  if (accessKeyId === undefined && secret === undefined) return undefined
  if (accessKeyId === undefined || !/^\w{3,128}$/.test(accessKeyId)) {
    throw new ConfigError(
      'TRENT_ROOT_ACCESS_KEY_ID must be 3 to 128 letters, digits or underscores',
    )
  }
  // The message never includes the value, because it is a secret.
  const isTest = isTestContainer && accessKeyId === testCredential && secret === testCredential
  if (secret === undefined || !(isTest || /^[\x20-\x7e]{8,128}$/.test(secret))) {
    throw new ConfigError('TRENT_ROOT_SECRET_ACCESS_KEY must be 8 to 128 printable characters')
  }
  return { accessKeyId, secretAccessKey: Buffer.from(secret) }
}
