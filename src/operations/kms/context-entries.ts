/** Condition keys that an encryption context sets. @module */
import type { ContextEntries } from '../operation.ts'

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
