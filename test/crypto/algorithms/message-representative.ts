/** ML-DSA's μ, as a caller of EXTERNAL_MU computes it. @see FIPS 204 §5.2, §6.2 @module */
import { createHash } from 'node:crypto'

/** `SHAKE256(SHAKE256(publicKey) ‖ 00 ‖ context length ‖ context ‖ message)`, 64 bytes. */
export function messageRepresentative(
  publicKey: Uint8Array,
  message: Uint8Array,
  context: Uint8Array = Buffer.alloc(0),
): Buffer {
  return shake256(shake256(publicKey), Buffer.of(0, context.length), context, message)
}

function shake256(...parts: readonly Uint8Array[]): Buffer {
  return createHash('shake256', { outputLength: 64 }).update(Buffer.concat(parts)).digest()
}
