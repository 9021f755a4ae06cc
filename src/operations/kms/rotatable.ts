/**
 * Checks which keys can be rotated, with AWS's messages.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html#rotate-keys-how-it-works
 * @module
 */
import { KmsError } from '../../errors.ts'
import { isReplica, type KeyOrigin, type KeyRecord, type KeyState } from '../../model/key.ts'
import { usableStates } from '../../model/key-state.ts'

/** Origins of keys that support rotation on demand. */
export const onDemandOrigins: readonly KeyOrigin[] = ['AWS_KMS', 'EXTERNAL']
/** Origins of keys that support automatic rotation: Trent generates their material. */
export const automaticOrigins: readonly KeyOrigin[] = ['AWS_KMS']

/**
 * Checks what rotation requires of a key of any spec. `name` is the name of the operation.
 * @throws {KmsError} `UnsupportedOperationException`
 */
export function requireOwnRotation(
  key: KeyRecord,
  arn: string,
  name: string,
  origins: readonly KeyOrigin[],
): void {
  if (!origins.includes(key.origin)) {
    const message = `${arn} origin is ${key.origin} which is not valid for this operation.`
    throw new KmsError('UnsupportedOperationException', message)
  }
  if (isReplica(key)) {
    const message = `${arn} is a multi-region replica key which is not valid for ${name}.`
    throw new KmsError('UnsupportedOperationException', message)
  }
  // AWS's policies of these keys allow it to nobody. Trent refuses it whatever the policy says.
  if (key.manager === 'AWS') {
    const message = `${arn} is managed by AWS, which rotates it`
    throw new KmsError('UnsupportedOperationException', message)
  }
}

/** @throws {KmsError} `UnsupportedOperationException`, without a message as at AWS */
export function requireSymmetric({ spec }: KeyRecord): void {
  if (spec !== 'SYMMETRIC_DEFAULT') throw new KmsError('UnsupportedOperationException')
}

/**
 * Key states that the rotation settings accept. They include `PendingImport` and `Unavailable`, so that
 * keys in these states are refused for their origin, which is the more helpful error.
 */
export const rotationSettingStates: readonly KeyState[] = [
  ...usableStates,
  'PendingImport',
  'Unavailable',
]
