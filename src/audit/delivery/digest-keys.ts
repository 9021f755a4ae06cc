/**
 * The RSA keys that sign digests. A new key is made when the last one expires. The keys are wrapped in
 * the store and kept for ever, so that old digests can be verified.
 * @module
 */
import { createPrivateKey, createPublicKey, hash, sign, type KeyObject } from 'node:crypto'
import { canonicalRow } from '../../crypto/canonical.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import type { SlowLane } from '../../crypto/slow-lane.ts'
import type { DigestKey } from '../../model/delivery.ts'
import type { DigestPublicKey } from '../../model/trail.ts'
import type { Store } from '../../store/store.ts'

/** About the lifetime of AWS's own keys. */
const validMs = 365 * 86_400_000
const leadMs = 2 * 3_600_000

export interface DigestKeys {
  /** A key that is valid at `time`; makes one if there is none. */
  signerAt(time: number): Promise<{
    readonly fingerprint: string
    /** RSASSA-PKCS1-v1_5 with SHA-256, in lower-case hex. */
    readonly sign: (text: string) => string
  }>
}

export function createDigestKeys(dependencies: {
  readonly store: Pick<Store, 'listDigestKeys' | 'insertDigestKey'>
  readonly keyring: Pick<Keyring, 'wrap' | 'unwrap'>
  readonly slowLane: Pick<SlowLane, 'run'>
  /** Called for a new key, which the list for offline verifiers must include. */
  readonly onNewKey: () => Promise<void>
}): DigestKeys {
  const { store, keyring, slowLane, onNewKey } = dependencies
  let opened: { readonly key: DigestKey; readonly privateKey: KeyObject } | undefined
  const make = async (time: number): Promise<DigestKey> => {
    const { signal } = new AbortController()
    const pair = await slowLane.run('generate-key-pair', { spec: 'RSA_2048' }, signal)
    const value = createPublicKey({
      key: Buffer.from(pair.publicKey),
      format: 'der',
      type: 'spki',
    }).export({ format: 'der', type: 'pkcs1' })
    const fingerprint = hash('sha256', value, 'hex').slice(0, 32)
    const { version, wrapped } = keyring.wrap('digest-key', aadOf(fingerprint), pair.privateKey)
    pair.privateKey.fill(0)
    // The content of the first digest is older than its key.
    const validity = { validFrom: time - leadMs, validUntil: time + validMs }
    const key = { value, fingerprint, ...validity, wrappingVersion: version, wrapped }
    await store.insertDigestKey(key)
    await onNewKey()
    return key
  }
  return {
    async signerAt(time) {
      if (opened === undefined || !isValidAt(opened.key, time)) {
        const keys = await store.listDigestKeys()
        const key = keys.findLast((each) => isValidAt(each, time)) ?? (await make(time))
        opened = { key, privateKey: openDigestKey(keyring, key) }
      }
      const { key, privateKey } = opened
      return {
        fingerprint: key.fingerprint,
        sign: (text) => sign('sha256', Buffer.from(text), privateKey).toString('hex'),
      }
    },
  }
}

/** Keys that were valid at any time of the range, in milliseconds since the epoch. */
export async function digestPublicKeys(
  store: Pick<Store, 'listDigestKeys'>,
  from: number,
  until: number,
): Promise<readonly DigestPublicKey[]> {
  const keys = await store.listDigestKeys()
  return keys
    .filter(({ validFrom, validUntil }) => validFrom <= until && validUntil >= from)
    .map(({ value, fingerprint, validFrom, validUntil }) => ({
      value,
      fingerprint,
      validFrom,
      validUntil,
    }))
}

function isValidAt({ validFrom, validUntil }: DigestKey, time: number): boolean {
  return validFrom <= time && time < validUntil
}

/** @throws {NotAuthentic} when the row was changed */
export function openDigestKey(
  keyring: Pick<Keyring, 'unwrap'>,
  key: Pick<DigestKey, 'fingerprint' | 'wrappingVersion' | 'wrapped'>,
): KeyObject {
  const { fingerprint, wrappingVersion, wrapped } = key
  const der = keyring.unwrap('digest-key', wrappingVersion, aadOf(fingerprint), wrapped)
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } finally {
    der.fill(0)
  }
}

/** Wraps the private key under the newest domain key. @throws {NotAuthentic} when the row was changed */
export function rewrapDigestKey(
  keyring: Pick<Keyring, 'wrap' | 'unwrap'>,
  { fingerprint, wrappingVersion, wrapped: bytes }: DigestKey,
): Pick<DigestKey, 'wrappingVersion' | 'wrapped'> {
  const aad = aadOf(fingerprint)
  const der = keyring.unwrap('digest-key', wrappingVersion, aad, bytes)
  try {
    const { version, wrapped } = keyring.wrap('digest-key', aad, der)
    return { wrappingVersion: version, wrapped }
  } finally {
    der.fill(0)
  }
}

function aadOf(fingerprint: string): Buffer {
  return canonicalRow('digest_keys', { fingerprint })
}
