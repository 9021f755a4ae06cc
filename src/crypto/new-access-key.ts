/**
 * Creates access keys, random or with a given secret, and wraps the secret for the store.
 * @module
 */
import type { AccessKeyRecord } from '../model/access-key.ts'
import type { Random } from '../model/clock.ts'
import { identifierOf } from '../model/identity.ts'
import { serviceKeyPrefix } from '../model/service.ts'
import { takeSecretKey } from './derive.ts'
import type { Keyring } from './keyring.ts'
import { openSigningSecret, wrapSecret, type SecretOwner } from './secrets.ts'

export interface NewAccessKey<Owner = Omit<SecretOwner, 'accessKeyId'>> {
  readonly record: Owner &
    Pick<AccessKeyRecord, 'accessKeyId' | 'wrappingVersion' | 'wrappedSecret'>
  /**
   * Forty characters of base64, returned once. A string, because an answer consists of strings. It
   * must reach nothing but that answer.
   */
  readonly plaintextSecret: string
}

/** Makes access keys for `owner`. */
export function createAccessKeys(
  keyring: Keyring,
  random: Random,
): <Owner extends Omit<SecretOwner, 'accessKeyId'>>(owner: Owner) => NewAccessKey<Owner> {
  return (owner) => {
    const accessKeyId =
      owner.principalKind === 'service' ? newServiceKeyId(random) : newAccessKeyId(random)
    const named = { ...owner, accessKeyId }
    const secret = Buffer.from(Buffer.from(random.bytes(30)).toString('base64'))
    try {
      const record = { ...named, ...wrapSecret(keyring, named, secret) }
      return { record, plaintextSecret: secret.toString('latin1') }
    } finally {
      secret.fill(0)
    }
  }
}

type FixedOwner = Pick<AccessKeyRecord, keyof SecretOwner>
type Wrapped = Pick<AccessKeyRecord, 'wrappingVersion' | 'wrappedSecret'>

export interface FixedAccessKeys {
  make(owner: FixedOwner, plaintextSecret: string): FixedOwner & Wrapped
  isSecretOf(accessKey: FixedOwner & Wrapped, plaintextSecret: string): boolean
}

/** Access keys with a given id and secret. These are strings, because they come from a file. */
export function createFixedAccessKeys(keyring: Keyring): FixedAccessKeys {
  return {
    make(owner, plaintextSecret) {
      const secret = Buffer.from(plaintextSecret)
      try {
        const { accessKeyId, accountId, principalKind, principalId } = owner
        const named = { accessKeyId, accountId, principalKind, principalId }
        return { ...named, ...wrapSecret(keyring, owner, secret) }
      } finally {
        secret.fill(0)
      }
    },
    isSecretOf(accessKey, plaintextSecret) {
      const given = takeSecretKey(Buffer.from(`AWS4${plaintextSecret}`))
      return openSigningSecret(keyring, accessKey).equals(given)
    },
  }
}

/** `AKIA` and sixteen base-32 characters, like AWS's long-term access keys. */
export function newAccessKeyId(random: Random): string {
  return identifierOf('AKIA', random.bytes(16))
}

function newServiceKeyId(random: Random): string {
  return identifierOf(serviceKeyPrefix, random.bytes(16))
}
