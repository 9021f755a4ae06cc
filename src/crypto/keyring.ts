/**
 * The keys under the root key: what wraps materials and secrets, tags rows and seals tokens.
 *
 *     root key → domain key (versioned) → HKDF(domain key, "trent:<purpose>:1") per purpose
 *
 * Nothing is encrypted under a domain key itself. @module
 */

import type { StatementKey, StatementKind } from './statements.ts'

/** What the wrapped bytes are; each purpose has a key of its own. */
export type WrapPurpose = 'key-material' | 'secret-access-key' | 'digest-key'

/** What a sealed token may be used for; each purpose has keys of its own. */
export type TokenPurpose = 'marker' | 'session' | 'forward-access' | 'import' | 'grant'

/** The bytes, the AAD or the key are not those that were sealed. */
export class NotAuthentic extends Error {}

export interface Keyring {
  readonly deploymentId: string
  /** Wraps under the newest domain key. `wrapped` is `iv ‖ ciphertext ‖ tag`, 12 + n + 16 bytes. */
  wrap(
    purpose: WrapPurpose,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): { readonly version: number; readonly wrapped: Uint8Array }
  /** The caller overwrites the answer when done. @throws {NotAuthentic} */
  unwrap(purpose: WrapPurpose, version: number, aad: Uint8Array, wrapped: Uint8Array): Buffer
  /** `u32 version ‖ HMAC-SHA-256`, 36 bytes, over a row's canonical bytes. */
  tagRow(canonical: Uint8Array): Uint8Array
  checkRowTag(canonical: Uint8Array, tag: Uint8Array): boolean
  /**
   * Seals `payload` for its purpose and `scope` (what the token is bound to beyond it).
   * A key a token by KDF and a 128-bit nonce. Answers base64url text.
   */
  sealToken(purpose: TokenPurpose, scope: string, payload: Uint8Array): string
  /** @throws {NotAuthentic} for anything that this deployment did not seal for just this use */
  openToken(purpose: TokenPurpose, scope: string, token: string): Buffer
  /** The keys that statements of this deployment are signed with, oldest first. */
  readonly statementKeys: readonly StatementKey[]
  /** Ed25519, 64 bytes, with the newest key unless another version is named. */
  signStatement(kind: StatementKind, text: string, version?: number): Buffer
}
