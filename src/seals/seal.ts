/**
 * What protects the root key at rest. A key file is one way; passphrases, shares, HSMs and other key
 * services fill the same interface.
 * @module
 */
import type { KeyObject } from 'node:crypto'

/** The seal cannot be used as it stands, or does not open what it is given. The message is one line. */
export class SealRefused extends Error {}

export interface Seal {
  readonly kind: 'file'
  /**
   * Seals a root key for one deployment. The caller overwrites `rootKey`.
   * @param rootKey 32 bytes
   */
  readonly seal: (rootKey: Uint8Array, deploymentId: string) => Promise<Uint8Array>
  /** @throws {SealRefused} for anything that was not sealed by this seal for this deployment */
  readonly unseal: (sealed: Uint8Array, deploymentId: string) => Promise<KeyObject>
}
