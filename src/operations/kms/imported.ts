/** Keys whose material comes from outside, and how the others are refused, in AWS's words. @module */
import { KmsError } from '../../errors.ts'
import type { KeyRecord, KeyState } from '../../model/key.ts'
import { requireState } from '../../model/key-state.ts'
import { lowerFirst } from '../../model/shape.ts'

/** The states in which material can be sent: imports go on while a multi-Region key is `Updating`. */
export const sendingStates: readonly KeyState[] = ['Enabled', 'Disabled', 'PendingImport']

/**
 * The origin of a key is the better answer than its state.
 * @throws {KmsError} `UnsupportedOperationException`, `KMSInvalidStateException`
 */
export function requireImported(key: KeyRecord, arn: string, states: readonly KeyState[]): void {
  if (key.origin !== 'EXTERNAL') {
    const message = `${arn} origin is ${key.origin} which is not valid for this operation.`
    throw new KmsError('UnsupportedOperationException', message)
  }
  requireState(arn, key.state, states)
}

/**
 * Only symmetric encryption keys have materials that are told apart.
 * @throws {KmsError} `ValidationException`
 */
export function requireToldApart(
  { spec }: KeyRecord,
  given: Readonly<Record<string, unknown>>,
  members: readonly string[],
): void {
  if (spec === 'SYMMETRIC_DEFAULT') return
  const refused = members.find((name) => given[name] !== undefined)
  if (refused === undefined) return
  const message = `Input parameter ${lowerFirst(refused)} cannot be used with ${spec} imported keys.`
  throw new KmsError('ValidationException', message)
}
