/**
 * Which keys can be rotated, and how the others are refused, in AWS's words.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html#rotate-keys-how-it-works
 * @module
 */
import { KmsError } from '../../errors.ts'
import { isReplica, type KeyOrigin, type KeyRecord, type KeyState } from '../../model/key.ts'
import { usableStates } from '../../model/key-state.ts'

/** The origins whose material can be replaced by other material. */
export const onDemandOrigins: readonly KeyOrigin[] = ['AWS_KMS', 'EXTERNAL']
/** The origins whose material is made here. */
export const automaticOrigins: readonly KeyOrigin[] = ['AWS_KMS']

/**
 * What must hold of a key whatever its spec is. `name` is the operation's.
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
  // At AWS their policies allow it to nobody; whatever a policy here says, they are not the caller's.
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
 * Where the origin of a key is the better answer than its state, the state is checked behind it: it is
 * imported keys that are pending import, and keys of custom key stores that are unavailable.
 */
export const rotationSettingStates: readonly KeyState[] = [
  ...usableStates,
  'PendingImport',
  'Unavailable',
]
