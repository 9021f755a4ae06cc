/**
 * Checks a key's state against what an operation requires, in AWS's words.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 * @module
 */
import { KmsError } from '../errors.ts'
import type { KeyState } from './key.ts'

/** All states, for operations that work in every state. */
export const anyState: readonly KeyState[] = [
  'Creating',
  'Enabled',
  'Disabled',
  'PendingImport',
  'PendingDeletion',
  'PendingReplicaDeletion',
  'Unavailable',
  'Updating',
]

/** States in which a key's material can be used. */
export const usableStates: readonly KeyState[] = ['Enabled', 'Updating']

/** States in which a key's settings can be changed: all but the two before deletion. */
export const notDyingStates: readonly KeyState[] = anyState.filter(
  (state) => state !== 'PendingDeletion' && state !== 'PendingReplicaDeletion',
)

const said: Readonly<Record<KeyState, string>> = {
  Creating: 'is creating.',
  Enabled: 'is enabled.',
  Disabled: 'is disabled.',
  PendingImport: 'is pending import.',
  PendingDeletion: 'is pending deletion.',
  PendingReplicaDeletion: 'is pending replica deletion.',
  Unavailable: 'is unavailable.',
  Updating: 'is updating.',
}

/** @throws {KmsError} `DisabledException` or `KMSInvalidStateException` when `state` is not allowed */
export function requireState(arn: string, state: KeyState, allowed: readonly KeyState[]): void {
  if (allowed.includes(state)) return
  const code = state === 'Disabled' ? 'DisabledException' : 'KMSInvalidStateException'
  throw new KmsError(code, `${arn} ${said[state]}`)
}
