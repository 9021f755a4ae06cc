/**
 * Domain keys, and the keyring that is built from them. The formats may never change for existing bytes:
 *
 *     domain key  iv ‖ ciphertext ‖ tag under the root key,
 *                 AAD = "trent:domain-key:1" ‖ deployment id ‖ u32 version
 *     wrapped     iv ‖ ciphertext ‖ tag under the purpose's key, AAD = u32 version ‖ the caller's AAD
 *     row tag     u32 version ‖ HMAC-SHA-256(row tag key, canonical row)
 *     backup      SP 800-108(backup key, "trent:backup:1", context): docs/backup-format.md
 *
 * A purpose's key is HKDF-SHA-256(domain key, "trent:<purpose>:1"); `tokens.ts` has the format of tokens.
 * @module
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Random } from '../model/clock.ts'
import { unwrapBytes, wrapBytes } from './aead.ts'
import { counterKey, hkdfKey, takeSecretKey } from './derive.ts'
import { NotAuthentic } from './keyring.ts'
import type { Keyring, TokenPurpose, WrapPurpose } from './keyring.ts'
import { publicPartOf, signStatement, statementKey, type StatementKey } from './statements.ts'
import { openToken, readToken, sealTokenText } from './tokens.ts'

/** A domain key as stored. */
export interface WrappedDomainKey {
  /** Counts from 1; each new domain key takes the next number. */
  readonly version: number
  /** `iv ‖ ciphertext ‖ tag`, 60 bytes. */
  readonly wrapped: Uint8Array
}

/** The keys derived from one domain key, one for each purpose. */
interface PurposeKeys {
  readonly wrap: Readonly<Record<WrapPurpose, KeyObject>>
  readonly token: Readonly<Record<TokenPurpose, KeyObject>>
  readonly rowTag: KeyObject
  readonly backup: KeyObject
  readonly statement: KeyObject
}

const domainKeyBytes = 32
const versionMax = 0xffff_ffff
const rowTagBytes = 36
const backupLabel = Buffer.from('trent:backup:1')

/** Wraps an open domain key under another root key: `iv ‖ ciphertext ‖ tag`, 60 bytes. */
export function wrapDomainKey(
  rootKey: KeyObject,
  deploymentId: string,
  { version, key }: OpenDomainKey,
  random: Random,
): Uint8Array {
  const bytes = key.export()
  try {
    return wrapBytes(rootKey, domainKeyAad(deploymentId, version), bytes, random)
  } finally {
    bytes.fill(0)
  }
}

/** Creates a domain key. Returns it wrapped: `iv ‖ ciphertext ‖ tag`, 60 bytes. */
export function createDomainKey(
  rootKey: KeyObject,
  deploymentId: string,
  version: number,
  random: Random,
): Uint8Array {
  const key = random.bytes(domainKeyBytes)
  try {
    return wrapBytes(rootKey, domainKeyAad(deploymentId, version), key, random)
  } finally {
    key.fill(0)
  }
}

/** An open domain key. Threads pass it on as a handle, never as bytes. */
export interface OpenDomainKey {
  readonly version: number
  readonly key: KeyObject
}

/**
 * Opens every domain key of a deployment.
 * @throws {NotAuthentic} if one of them belongs to another deployment
 */
export function openDomainKeys(
  rootKey: KeyObject,
  deploymentId: string,
  domainKeys: readonly WrappedDomainKey[],
): readonly OpenDomainKey[] {
  return domainKeys.map((domainKey) => ({
    version: domainKey.version,
    key: openDomainKey(rootKey, deploymentId, domainKey),
  }))
}

/** Opens the domain keys and builds their keyring. @throws {NotAuthentic} */
export function openKeyring(
  rootKey: KeyObject,
  deploymentId: string,
  domainKeys: readonly WrappedDomainKey[],
  random: Random,
): Keyring {
  return keyringOf(deploymentId, openDomainKeys(rootKey, deploymentId, domainKeys), random)
}

/**
 * The keyring of a running server. Its domain keys change while it is in use, when the root key is
 * rotated: each thread first learns the new key, and then all turn to it. So no thread meets a value that
 * it cannot open.
 */
export interface TurningKeyring extends Keyring {
  /** The highest version that it opens. */
  readonly knownVersion: number
  /** Opens what this domain key protects, and does not protect new values by it yet. */
  learn(domainKey: OpenDomainKey): void
  /** Protects new values by the domain key with the highest version. */
  turn(): void
  /** Protects new values by an older domain key, until it turns. @throws {NotAuthentic} */
  hold(version: number): void
  /** Opens nothing under older domain keys any more. */
  forgetBefore(version: number): void
}

/** One step of a rotation, which all threads take before any takes the next. */
export type KeyringStep =
  | { readonly step: 'learn'; readonly domainKey: OpenDomainKey }
  | { readonly step: 'turn' }
  | { readonly step: 'forget-before'; readonly version: number }

export function turnKeys(keyring: TurningKeyring, step: KeyringStep): void {
  if (step.step === 'learn') keyring.learn(step.domainKey)
  else if (step.step === 'turn') keyring.turn()
  else keyring.forgetBefore(step.version)
}

/**
 * Builds the keyring of a deployment. New values use the domain key with the highest version.
 * @throws {NotAuthentic} if a version occurs twice, or there is none
 */
export function keyringOf(
  deploymentId: string,
  domainKeys: readonly OpenDomainKey[],
  random: Random,
): TurningKeyring {
  const versions = new Map<number, PurposeKeys>()
  const learn = ({ version, key }: OpenDomainKey): void => {
    if (versions.has(version)) throw new NotAuthentic('a domain key is there twice')
    versions.set(version, purposeKeys(key))
  }
  domainKeys.forEach(learn)
  if (versions.size === 0) throw new NotAuthentic('there is no domain key')
  let newest = Math.max(...versions.keys())
  const keysOf = (version: number): PurposeKeys => {
    const keys = versions.get(version)
    if (keys === undefined) throw new NotAuthentic('no domain key of this version')
    return keys
  }
  const newestFirst = (): readonly number[] => [...versions.keys()].toSorted((a, b) => b - a)
  return {
    deploymentId,
    get newestVersion() {
      return newest
    },
    get oldestVersion() {
      return Math.min(...versions.keys())
    },
    get knownVersion() {
      return Math.max(...versions.keys())
    },
    learn,
    hold: (version) => {
      keysOf(version)
      newest = version
    },
    turn: () => {
      newest = Math.max(...versions.keys())
    },
    forgetBefore: (until) => {
      for (const version of newestFirst()) {
        if (version < Math.min(until, newest)) versions.delete(version)
      }
    },
    wrap: (purpose, aad, plaintext) => {
      const key = keysOf(newest).wrap[purpose]
      return { version: newest, wrapped: wrapBytes(key, bound(newest, aad), plaintext, random) }
    },
    unwrap: (purpose, version, aad, wrapped) =>
      unwrapBytes(keysOf(version).wrap[purpose], bound(version, aad), wrapped),
    tagRow: (canonical) => rowTag(newest, keysOf(newest).rowTag, canonical),
    tagsOfRow: (canonical) =>
      newestFirst().map((version) => rowTag(version, keysOf(version).rowTag, canonical)),
    checkRowTag: (canonical, tag) => {
      if (tag.length !== rowTagBytes) return false
      const version = view(tag).readUInt32BE(0)
      const keys = versions.get(version)
      return keys !== undefined && timingSafeEqual(rowTag(version, keys.rowTag, canonical), tag)
    },
    ...tokensOf(deploymentId, keysOf, () => newest, random),
    backupKey: (version, context) => counterKey(keysOf(version).backup, backupLabel, [context]),
    get statementKeys(): readonly StatementKey[] {
      return [...versions].map(([version, { statement }]) => ({
        version,
        publicKey: publicPartOf(statement),
      }))
    },
    signStatement: (kind, text, version = newest) =>
      signStatement(keysOf(version).statement, kind, text),
  }
}

function tokensOf(
  deploymentId: string,
  keysOf: (version: number) => PurposeKeys,
  newest: () => number,
  random: Random,
): Pick<Keyring, 'sealToken' | 'openToken'> {
  return {
    sealToken: (purpose, scope, payload) => {
      const version = newest()
      const binding = { purpose, deploymentId, scope }
      return sealTokenText(keysOf(version).token[purpose], version, binding, payload, random)
    },
    openToken: (purpose, scope, text) => {
      const token = readToken(text)
      const purposeKey = keysOf(token.version).token[purpose]
      return openToken(purposeKey, token, { purpose, deploymentId, scope })
    },
  }
}

/** @throws {NotAuthentic} unless it is the domain key of exactly this deployment and version */
function openDomainKey(
  rootKey: KeyObject,
  deploymentId: string,
  { version, wrapped }: WrappedDomainKey,
): KeyObject {
  const key = takeSecretKey(unwrapBytes(rootKey, domainKeyAad(deploymentId, version), wrapped))
  if (key.symmetricKeySize !== domainKeyBytes) throw new NotAuthentic('not a domain key')
  return key
}

function domainKeyAad(deploymentId: string, version: number): Buffer {
  if (!Number.isInteger(version) || version < 1 || version > versionMax) {
    throw new RangeError('a domain key version is a whole number from 1')
  }
  const label = Buffer.from(`trent:domain-key:1${deploymentId}`)
  const aad = Buffer.alloc(label.length + 4)
  label.copy(aad)
  aad.writeUInt32BE(version, label.length)
  return aad
}

function purposeKeys(domainKey: KeyObject): PurposeKeys {
  const keyFor = (purpose: string): KeyObject => hkdfKey(domainKey, `trent:${purpose}:1`)
  return {
    wrap: {
      'key-material': keyFor('key-material'),
      'secret-access-key': keyFor('secret-access-key'),
      'digest-key': keyFor('digest-key'),
      'key-store-secret': keyFor('key-store-secret'),
    },
    token: {
      marker: keyFor('marker-token'),
      session: keyFor('session-token'),
      'forward-access': keyFor('forward-access-token'),
      import: keyFor('import-token'),
      grant: keyFor('grant-token'),
    },
    rowTag: keyFor('row-tag'),
    backup: keyFor('backup'),
    statement: statementKey(domainKey),
  }
}

function rowTag(version: number, key: KeyObject, canonical: Uint8Array): Buffer {
  return Buffer.concat([u32(version), createHmac('sha256', key).update(canonical).digest()])
}

function bound(version: number, aad: Uint8Array): Buffer {
  return Buffer.concat([u32(version), aad])
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
