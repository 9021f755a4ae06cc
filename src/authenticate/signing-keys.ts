/**
 * Signing keys of Signature Version 4: derived from a secret access key for one day, Region and
 * service, and remembered, since a client signs thousands of requests under one.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * @module
 */
import { createHmac, createSecretKey, generateKeySync, type KeyObject } from 'node:crypto'

/** What a signing key is good for. */
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
   * Remembers a signing key under which a signature was found right. Nothing else is remembered: who
   * cannot sign must not be able to push out the keys of those who can.
   */
  readonly remember: (scope: SigningScope, secret: KeyObject, key: KeyObject) => void
  /** Stands in for the secret of an access key that is not there: nobody can sign under it. */
  readonly decoy: KeyObject
}

/** @param maxEntries how many signing keys are remembered; the one used longest ago goes first */
export function createSigningKeys(maxEntries: number): SigningKeys {
  interface Entry {
    readonly secret: KeyObject
    readonly key: KeyObject
  }
  // A Map keeps the order of insertion: its first entry is the one used longest ago.
  const entries = new Map<string, Entry>()
  return {
    of: (scope, secret) => {
      // By identity: a secret that was changed or put back is another KeyObject, and derives anew.
      const entry = entries.get(entryName(scope))
      return entry?.secret === secret ? entry.key : derive(scope, secret)
    },
    remember: (scope, secret, key) => {
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
  // None of the parts holds a slash: they were split at slashes.
  return `${accessKeyId}/${date}/${region}/${service}`
}

function derive(scope: SigningScope, secret: KeyObject): KeyObject {
  let key = secret
  for (const part of [scope.date, scope.region, scope.service, 'aws4_request']) {
    const bytes = createHmac('sha256', key).update(part, 'latin1').digest()
    key = createSecretKey(bytes)
    bytes.fill(0)
  }
  return key
}
