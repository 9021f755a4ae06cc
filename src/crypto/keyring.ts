/**
 * The keyring: the keys under the root key, which wrap materials and secrets, tag rows and seal tokens.
 *
 *     root key → domain key (versioned) → HKDF(domain key, "trent:<purpose>:1") per purpose
 *
 * Nothing is encrypted under a domain key itself. @module
 */

import type { StatementKey, StatementKind } from './statements.ts'

/** The kind of wrapped bytes. Each has its own key. */
export type WrapPurpose = 'key-material' | 'secret-access-key' | 'digest-key' | 'key-store-secret'

/** The use of a sealed token. Each has its own keys. */
export type TokenPurpose = 'marker' | 'session' | 'forward-access' | 'import' | 'grant'

/** The bytes, the AAD or the key differ from those that were sealed. */
export class NotAuthentic extends Error {}

export interface Keyring {
  readonly deploymentId: string
  /** The version of the oldest domain key that is open. What opened tokens cache is of this one or later. */
  readonly oldestVersion: number
  /** Wraps under the newest domain key. `wrapped` is `iv ‖ ciphertext ‖ tag`, 12 + n + 16 bytes. */
  wrap(
    purpose: WrapPurpose,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): { readonly version: number; readonly wrapped: Uint8Array }
  /** The caller overwrites the result when done. @throws {NotAuthentic} */
  unwrap(purpose: WrapPurpose, version: number, aad: Uint8Array, wrapped: Uint8Array): Buffer
  /** `u32 version ‖ HMAC-SHA-256`, 36 bytes, over the canonical bytes of a row. */
  tagRow(canonical: Uint8Array): Uint8Array
  /** The same under every domain key, newest first. */
  tagsOfRow(canonical: Uint8Array): readonly Uint8Array[]
  checkRowTag(canonical: Uint8Array, tag: Uint8Array): boolean
  /**
   * Seals `payload` for a purpose and a `scope`, to which the token is also bound. A KDF with a
   * 128-bit nonce gives each token its own key. Returns base64url text.
   */
  sealToken(purpose: TokenPurpose, scope: string, payload: Uint8Array): string
  /**
   * @throws {NotAuthentic} unless this deployment sealed the token for exactly this purpose and
   * scope
   */
  openToken(purpose: TokenPurpose, scope: string, token: string): Buffer
  /** The version of the domain key that new values use. */
  readonly newestVersion: number
  /** The key, 32 bytes, of one backup's content: each `context` has its own. The caller overwrites it. */
  backupKey(version: number, context: Uint8Array): Buffer
  /** The keys that sign this deployment's statements, oldest first. */
  readonly statementKeys: readonly StatementKey[]
  /** An Ed25519 signature, 64 bytes, by the newest key unless `version` names another. */
  signStatement(kind: StatementKind, text: string, version?: number): Buffer
}
