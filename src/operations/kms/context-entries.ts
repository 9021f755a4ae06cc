/** Condition keys that an encryption context and the constraints of a grant set. @module */
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

/** Of a grant that is made or retired: its encryption context, and which kinds of constraints it has. */
export function grantConstraintEntries(constraints: GrantConstraints = {}): ContextEntries {
  const { EncryptionContextEquals, EncryptionContextSubset } = constraints
  const types = Object.keys(constraints)
  return {
    ...encryptionContextEntries(EncryptionContextEquals ?? EncryptionContextSubset),
    'kms:GrantConstraintType': types.length === 0 ? undefined : types,
  }
}
