/**
 * RSASSA-PKCS1-v1_5 and RSASSA-PSS over messages and digests. OpenSSL signs messages itself.
 * `node:crypto` cannot pass it a digest, so this file encodes the digest and calls RSA's raw
 * private operation, which OpenSSL blinds. This code touches no secret.
 *
 * Measured, p50: sign 2048 0.24 ms, 3072 0.66 ms (1.1 with a key just opened), 4096 1.4 ms; verify
 * under 0.1 ms; DIGEST within 5 % of RAW.
 * @see RFC 8017 §8, §9
 * @module
 */
import type { KeyObject } from 'node:crypto'
import {
  constants,
  privateEncrypt,
  publicDecrypt,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import type { KeySpec } from '../../model/key.ts'
import type { HashFunction, SignatureHash } from './hashes.ts'
import { encodePss, isPss } from './pss-encoding.ts'
import type { MessageType, SignatureMethod } from './signature-method.ts'

const slow: { readonly sign: readonly KeySpec[]; readonly verify: readonly KeySpec[] } = {
  sign: ['RSA_3072', 'RSA_4096'],
  verify: [],
}

type Methods = ReadonlyMap<MessageType, SignatureMethod>

export function pkcs1Methods(hash: SignatureHash): Methods {
  const raw: SignatureMethod = {
    slow,
    sign: (key, message) => sign(hash.name, message, { key, padding: constants.RSA_PKCS1_PADDING }),
    verify: (key, message, signature) =>
      verify(hash.name, message, { key, padding: constants.RSA_PKCS1_PADDING }, signature),
  }
  const digest: SignatureMethod = {
    slow,
    messageBytes: hash.bytes,
    sign: (key, message) =>
      privateEncrypt(
        { key, padding: constants.RSA_PKCS1_PADDING },
        Buffer.concat([hash.digestInfo, message]),
      ),
    verify(key, message, signature) {
      const encoded = openSignature(key, signature)
      // The whole encoding is compared, never parsed: forgers use the bytes that a lenient parser
      // skips.
      return (
        encoded !== undefined &&
        timingSafeEqual(encoded, encodePkcs1(hash, message, encoded.length))
      )
    },
  }
  return new Map([
    ['RAW', raw],
    ['DIGEST', digest],
  ])
}

/** The salt is as long as the digest. Signatures with another salt length are refused. */
export function pssMethods(hash: HashFunction): Methods {
  const padding = constants.RSA_PKCS1_PSS_PADDING
  const raw: SignatureMethod = {
    slow,
    sign: (key, message) => sign(hash.name, message, { key, padding, saltLength: hash.bytes }),
    // The length is checked here, because OpenSSL accepts a PSS signature without its leading zero
    // bytes.
    verify: (key, message, signature) =>
      signature.length === signatureBytes(key) &&
      verify(hash.name, message, { key, padding, saltLength: hash.bytes }, signature),
  }
  const digest: SignatureMethod = {
    slow,
    messageBytes: hash.bytes,
    sign: (key, message) =>
      privateEncrypt(
        { key, padding: constants.RSA_NO_PADDING },
        encodePss(hash, message, modulusBits(key)),
      ),
    verify(key, message, signature) {
      const encoded = openSignature(key, signature)
      return encoded !== undefined && isPss(hash, message, encoded, modulusBits(key))
    },
  }
  return new Map([
    ['RAW', raw],
    ['DIGEST', digest],
  ])
}

/** Returns `00 01 FF… 00 ‖ DigestInfo`, as long as the modulus. */
function encodePkcs1(hash: SignatureHash, digest: Uint8Array, length: number): Buffer {
  const padding = Buffer.alloc(length - hash.digestInfo.length - digest.length, 0xff)
  padding[0] = 0
  padding[1] = 1
  padding[padding.length - 1] = 0
  return Buffer.concat([padding, hash.digestInfo, digest])
}

/**
 * RSA's raw public operation. Undefined unless the signature is a full-width number below the
 * modulus.
 */
function openSignature(key: KeyObject, signature: Uint8Array): Buffer | undefined {
  if (signature.length !== signatureBytes(key)) return undefined
  try {
    return publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature)
  } catch {
    // The length is right, so OpenSSL refuses only a number that is not below the modulus.
    return undefined
  }
}

/**
 * The length of a signature: that of the modulus, including leading zeros.
 * @see RFC 8017 §8.1.2, step 1
 */
function signatureBytes(key: KeyObject): number {
  return Math.ceil(modulusBits(key) / 8)
}

function modulusBits(key: KeyObject): number {
  return key.asymmetricKeyDetails?.modulusLength ?? 0
}
