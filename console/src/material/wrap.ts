/**
 * Wraps key material in the browser, by WebCrypto, for ImportKeyMaterial. Nothing else of the material leaves
 * this file.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-encrypt-key-material.html
 * @see https://www.rfc-editor.org/rfc/rfc5649 AES key wrap with padding
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>

/** RSAES_OAEP_SHA_256. @param publicKey SPKI, DER */
export async function wrapByRsa(publicKey: Bytes, material: Bytes): Promise<Bytes> {
  const name = 'RSA-OAEP'
  const key = await crypto.subtle.importKey('spki', publicKey, { name, hash: 'SHA-256' }, false, [
    'encrypt',
  ])
  return new Uint8Array(await crypto.subtle.encrypt({ name }, key, material))
}

/**
 * RSA_AES_KEY_WRAP_SHA_256: the material under a random AES key by RFC 5649, behind that key under RSA.
 * @param publicKey SPKI, DER
 */
export async function wrapByRsaAndAes(publicKey: Bytes, material: Bytes): Promise<Bytes> {
  const aesKey = crypto.getRandomValues(new Uint8Array(32))
  try {
    const [wrappedKey, wrapped] = await Promise.all([
      wrapByRsa(publicKey, aesKey),
      wrapPadded(aesKey, material),
    ])
    return new Uint8Array([...wrappedKey, ...wrapped])
  } finally {
    aesKey.fill(0)
  }
}

/** AES key wrap with padding, RFC 5649 section 4.1. WebCrypto has only the form without padding. */
export async function wrapPadded(aesKey: Bytes, material: Bytes): Promise<Bytes> {
  const encrypt = await blockCipher(aesKey)
  const padded = Math.ceil(material.length / 8) * 8
  const out = new Uint8Array(8 + padded)
  const view = new DataView(out.buffer)
  // The alternative initial value: a constant, and the length of the material.
  view.setUint32(0, 0xa6_59_59_a6)
  view.setUint32(4, material.length)
  out.set(material, 8)
  if (padded === 8) return encrypt(out)
  const count = padded / 8
  const block = new Uint8Array(16)
  block.set(out.subarray(0, 8))
  for (let round = 0; round < 6; round += 1) {
    for (let index = 1; index <= count; index += 1) {
      block.set(out.subarray(index * 8, index * 8 + 8), 8)
      const encrypted = await encrypt(block)
      out.set(encrypted.subarray(8), index * 8)
      block.set(encrypted.subarray(0, 8))
      const step = new DataView(block.buffer)
      step.setUint32(4, step.getUint32(4) ^ (count * round + index))
    }
  }
  out.set(block.subarray(0, 8))
  return out
}

/** One block of AES: CBC over one block with an IV of zeros. */
async function blockCipher(aesKey: Bytes): Promise<(block: Bytes) => Promise<Bytes>> {
  const name = 'AES-CBC'
  const key = await crypto.subtle.importKey('raw', aesKey, name, false, ['encrypt'])
  const iv = new Uint8Array(16)
  return async (block) =>
    // The second block is CBC's own padding.
    new Uint8Array(await crypto.subtle.encrypt({ name, iv }, key, block)).slice(0, 16)
}

/** The DER of a PKCS #8 private key, from DER or PEM. Undefined for anything else. */
export function readPrivateKey(file: Bytes): Bytes | undefined {
  const text = new TextDecoder('latin1').decode(file)
  const [, body] =
    /-----BEGIN PRIVATE KEY-----([\s\w+/=]+)-----END PRIVATE KEY-----/.exec(text) ?? []
  if (body !== undefined) {
    try {
      return Uint8Array.from(atob(body.replaceAll(/\s/g, '')), (char) => char.codePointAt(0) ?? 0)
    } catch {
      return undefined
    }
  }
  // A DER sequence.
  return file[0] === 0x30 ? file : undefined
}
