/**
 * A cache of Signature Version 4 signing keys. Each is derived from a secret access key for one day,
 * Region and service. It is cached because a client signs thousands of requests with one.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * @module
 */
import { generateKeySync, type KeyObject } from 'node:crypto'
import { deriveSigningKey } from '../crypto/signing-key.ts'

/** The scope of a signing key. */
export interface SigningScope {
  readonly accessKeyId: string
  /** `YYYYMMDD` */
  readonly date: string
  readonly region: string
  readonly service: string
}

export interface SigningKeys {
  /** The signing key under `secret` (the HMAC key `"AWS4" ‖ secret access key`). */
  readonly of: (scope: SigningScope, secret: KeyObject) => KeyObject
  /**
   * Caches a signing key that verified a signature. No other keys are cached: a client that cannot sign
   * must not evict the keys of those that can.
   */
  readonly remember: (scope: SigningScope, secret: KeyObject, key: KeyObject) => void
  /** Replaces the secret of an unknown access key. Nobody can sign with it. */
  readonly decoy: KeyObject
}

/** @param maxEntries cached signing keys; the least recently used is evicted first */
export function createSigningKeys(maxEntries: number): SigningKeys {
  interface Entry {
    readonly secret: KeyObject
    readonly key: KeyObject
  }
  // A Map keeps the order of insertion: the first entry is the least recently used.
  const entries = new Map<string, Entry>()
  let last: KeyObject | undefined
  return {
    of: (scope, secret) => {
      // By identity: a secret that was changed or restored is another KeyObject, and derives a new key.
      const entry = entries.get(entryName(scope))
      return entry?.secret === secret ? entry.key : deriveSigningKey(secret, scope)
    },
    remember: (scope, secret, key) => {
      // A client signs many requests with one key, which is the last in the Map already.
      if (key === last) return
      last = key
      const name = entryName(scope)
      entries.delete(name)
      entries.set(name, { secret, key })
      if (entries.size <= maxEntries) return
      const [oldest] = entries.keys()
      if (oldest !== undefined) entries.delete(oldest)
    },
    decoy: generateKeySync('hmac', { length: 256 }),
  }
}

function entryName({ accessKeyId, date, region, service }: SigningScope): string {
  // No part holds a slash: they were split at slashes.
  return `${accessKeyId}/${date}/${region}/${service}`
}
