/** Condition keys for encryption contexts and grant constraints. @module */
import type { GrantConstraints } from '../../model/grant.ts'
import type { ContextEntries } from '../contract/call.ts'

/**
 * `kms:EncryptionContext:<name>` for each pair, and `kms:EncryptionContextKeys`.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
 */
export function encryptionContextEntries(
  context: Readonly<Record<string, string>> | undefined,
): ContextEntries {
  if (context === undefined) return {}
  const names = Object.keys(context)
  if (names.length === 0) return {}
  const pairs = names.map((name) => [`kms:EncryptionContext:${name}`, context[name]])
  return { ...Object.fromEntries(pairs), 'kms:EncryptionContextKeys': names }
}

/** For a grant that is created or retired: its encryption context and its constraint types. */
export function grantConstraintEntries(constraints: GrantConstraints = {}): ContextEntries {
  const { EncryptionContextEquals, EncryptionContextSubset } = constraints
  const types = Object.keys(constraints)
  return {
    ...encryptionContextEntries(EncryptionContextEquals ?? EncryptionContextSubset),
    'kms:GrantConstraintType': types.length === 0 ? undefined : types,
  }
}
