/**
 * The interface of a seal, which protects the root key at rest. A key file is one implementation;
 * passphrases, shares, HSMs and other key services implement the same interface.
 * @module
 */
import type { KeyObject } from 'node:crypto'

/** The seal cannot be used, or cannot open what it was given. The message is one line. */
export class SealRefused extends Error {}

export interface Seal {
  readonly kind: 'file'
  /**
   * Seals a root key for one deployment. The caller overwrites `rootKey`.
   * @param rootKey 32 bytes
   */
  readonly seal: (rootKey: Uint8Array, deploymentId: string) => Promise<Uint8Array>
  /** @throws {SealRefused} unless this seal sealed it for this deployment */
  readonly unseal: (sealed: Uint8Array, deploymentId: string) => Promise<KeyObject>
}
