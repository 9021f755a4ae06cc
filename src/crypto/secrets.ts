/**
 * Secret access keys at rest: wrapped, bound to the access key and to the principal that it signs as.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import type { AccessKeyRecord } from '../model/access-key.ts'
import type { ServiceRecord } from '../model/service.ts'
import { canonicalRow } from './canonical.ts'
import { takeSecretKey } from './derive.ts'
import type { Keyring } from './keyring.ts'

/** Whose secret it is. A service is of no account: its `accountId` is empty. */
export type SecretOwner = Pick<AccessKeyRecord, 'accessKeyId' | 'accountId' | 'principalId'> & {
  readonly principalKind: AccessKeyRecord['principalKind'] | 'service'
}

/** The first four bytes of what Signature Version 4 derives its keys from. */
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
 * Answers "AWS4" ‖ secret, the key that Signature Version 4 starts from.
 * @throws {NotAuthentic} when the row was changed
 */
export function openSigningSecret(
  keyring: Keyring,
  accessKey: SecretOwner & Pick<AccessKeyRecord, 'wrappingVersion' | 'wrappedSecret'>,
): KeyObject {
  const { wrappingVersion, wrappedSecret } = accessKey
  const aad = secretAad(accessKey)
  const secret = keyring.unwrap('secret-access-key', wrappingVersion, aad, wrappedSecret)
  try {
    return takeSecretKey(Buffer.concat([signingPrefix, secret]))
  } finally {
    secret.fill(0)
  }
}

/** The same of a service. @throws {NotAuthentic} when the row was changed */
export function openServiceSecret(keyring: Keyring, service: ServiceRecord): KeyObject {
  const { accessKeyId, name, region, wrappingVersion, wrappedSecret } = service
  const principalId = `${name}/${region}`
  const owner = { accessKeyId, accountId: '', principalKind: 'service', principalId } as const
  return openSigningSecret(keyring, { ...owner, wrappingVersion, wrappedSecret })
}

function secretAad(owner: SecretOwner): Buffer {
  return canonicalRow('access_keys', {
    access_key_id: owner.accessKeyId,
    account_id: owner.accountId,
    principal_kind: owner.principalKind,
    principal_id: owner.principalId,
  })
}
