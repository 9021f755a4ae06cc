/** Names the material of a ciphertext of any key store. @module */
import { parseBlob } from './blob.ts'
import { parseExternal } from './external-message.ts'

/** The material id in a ciphertext, 64 lower-case hex digits; undefined for other bytes. */
export function materialIdOf(bytes: Uint8Array): string | undefined {
  const blob = parseBlob(bytes) ?? parseExternal(bytes)
  return blob === undefined ? undefined : Buffer.from(blob.materialId).toString('hex')
}
