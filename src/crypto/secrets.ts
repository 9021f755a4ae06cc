/** Secret access keys at rest: wrapped, and bound to the access key and its principal. @module */
import type { KeyObject } from 'node:crypto'
import type { AccessKeyRecord } from '../model/access-key.ts'
import type { ServiceRecord } from '../model/service.ts'
import { canonicalRow } from './canonical.ts'
import { takeSecretKey } from './derive.ts'
import type { Keyring } from './keyring.ts'

/** The owner of the secret. A service belongs to no account, so its `accountId` is empty. */
export type SecretOwner = Pick<AccessKeyRecord, 'accessKeyId' | 'accountId' | 'principalId'> & {
  readonly principalKind: AccessKeyRecord['principalKind'] | 'service'
}

/** The first four bytes of the key from which Signature Version 4 derives its keys. */
const signingPrefix = Buffer.from('AWS4')
const secretBytesMax = 128

/** Wraps a secret under the newest domain key. The caller overwrites `secret`. */
export function wrapSecret(
  keyring: Keyring,
  owner: SecretOwner,
  secret: Uint8Array,
): Pick<AccessKeyRecord, 'wrappingVersion' | 'wrappedSecret'> {
  if (secret.length < 1 || secret.length > secretBytesMax) {
    throw new RangeError('a secret access key has 1 to 128 bytes')
  }
  const { version, wrapped } = keyring.wrap('secret-access-key', secretAad(owner), secret)
  return { wrappingVersion: version, wrappedSecret: wrapped }
}

/**
 * Returns "AWS4" ‖ secret, the key from which Signature Version 4 derives its keys.
 * @throws {NotAuthentic} if the row was changed
 */
export function openSigningSecret(keyring: Keyring, accessKey: WrappedSecret): KeyObject {
  const { wrappingVersion, wrappedSecret } = accessKey
  const aad = secretAad(accessKey)
  return takeSigningSecret(keyring.unwrap('secret-access-key', wrappingVersion, aad, wrappedSecret))
}

/**
 * Returns "AWS4" ‖ secret, the key from which Signature Version 4 derives its keys. It overwrites `secret`.
 */
export function takeSigningSecret(secret: Uint8Array): KeyObject {
  try {
    return takeSecretKey(Buffer.concat([signingPrefix, secret]))
  } finally {
    secret.fill(0)
  }
}

/** The same for a service. @throws {NotAuthentic} if the row was changed */
export function openServiceSecret(keyring: Keyring, service: ServiceRecord): KeyObject {
  return openSigningSecret(keyring, wrappedServiceSecret(service))
}

type WrappedSecret = SecretOwner & Pick<AccessKeyRecord, 'wrappingVersion' | 'wrappedSecret'>

/** What binds the secret of a service. */
export function wrappedServiceSecret(service: ServiceRecord): WrappedSecret {
  const { accessKeyId, name, region, wrappingVersion, wrappedSecret } = service
  const principalId = `${name}/${region}`
  const owner = { accessKeyId, accountId: '', principalKind: 'service', principalId } as const
  return { ...owner, wrappingVersion, wrappedSecret }
}

/** Wraps a secret under the newest domain key. @throws {NotAuthentic} if the row was changed */
export function rewrapSecret(
  keyring: Pick<Keyring, 'wrap' | 'unwrap'>,
  accessKey: WrappedSecret,
): Pick<AccessKeyRecord, 'wrappingVersion' | 'wrappedSecret'> {
  const aad = secretAad(accessKey)
  const { wrappingVersion: former, wrappedSecret: bytes } = accessKey
  const secret = keyring.unwrap('secret-access-key', former, aad, bytes)
  try {
    const { version, wrapped } = keyring.wrap('secret-access-key', aad, secret)
    return { wrappingVersion: version, wrappedSecret: wrapped }
  } finally {
    secret.fill(0)
  }
}

function secretAad(owner: SecretOwner): Buffer {
  return canonicalRow('access_keys', {
    access_key_id: owner.accessKeyId,
    account_id: owner.accountId,
    principal_kind: owner.principalKind,
    principal_id: owner.principalId,
  })
}
