/** Wraps material as a customer does, by other code than ours: the public key and the algorithm say how. */
import { constants, createCipheriv, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'

/** @param publicKey SubjectPublicKeyInfo, DER */
export function wrapped(publicKey: Uint8Array, algorithm: string, material: Uint8Array): Buffer {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' })
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const oaepHash = algorithm.endsWith('SHA_1') ? 'sha1' : 'sha256'
  const direct = (bytes: Uint8Array): Buffer => publicEncrypt({ key, padding, oaepHash }, bytes)
  if (!algorithm.startsWith('RSA_AES')) return direct(material)
  const aesKey = randomBytes(32)
  return Buffer.concat([direct(aesKey), keyWrapped(aesKey, material)])
}

/** AES-KWP, RFC 5649. */
export function keyWrapped(aesKey: Uint8Array, material: Uint8Array): Buffer {
  const name = `id-aes${aesKey.length * 8}-wrap-pad`
  const cipher = createCipheriv(name, aesKey, Buffer.from('a65959a6', 'hex'))
  return Buffer.concat([cipher.update(material), cipher.final()])
}
