/** Checks for operations on keys with imported material, with AWS's messages. @module */
import { KmsError } from '../../errors.ts'
import type { KeyRecord, KeyState } from '../../model/key.ts'
import { requireState } from '../../model/key-state.ts'
import { lowerFirst } from '../../model/shape.ts'

/** Key states that allow an import. ImportKeyMaterial also allows `Updating`. */
export const importStates: readonly KeyState[] = ['Enabled', 'Disabled', 'PendingImport']

/**
 * Checks the origin of a key before its state, because a wrong origin is the more helpful error.
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
 * Refuses members that select or describe a material for keys other than symmetric encryption keys, which
 * have only one.
 * @throws {KmsError} `ValidationException`
 */
export function requireDistinctMaterials(
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
