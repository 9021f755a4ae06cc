/**
 * Encrypts an answer for an attested recipient: CMS EnvelopedData in the one layout that AWS KMS
 * sends.
 *
 * The layout may never change. The Nitro Enclaves SDK for C reads the outer elements by their
 * headers alone, so it needs BER's indefinite lengths outside and definite lengths inside. No
 * library writes that mix, hence a template in which only the lengths and four byte strings vary.
 * @see https://www.rfc-editor.org/rfc/rfc5652#section-6
 * @see https://www.rfc-editor.org/rfc/rfc4055#section-4.1 RSAES-OAEP
 * @see https://github.com/aws/aws-nitro-enclaves-sdk-c/blob/main/source/cms.c
 * @module
 */
import {
  constants,
  createCipheriv,
  createHash,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from 'node:crypto'

const oids = {
  data: Buffer.from('06092a864886f70d010701', 'hex'),
  envelopedData: Buffer.from('06092a864886f70d010703', 'hex'),
  oaep: Buffer.from('06092a864886f70d010107', 'hex'),
  mgf1: Buffer.from('06092a864886f70d010108', 'hex'),
  sha256: Buffer.from('0609608648016503040201', 'hex'),
  aes256Cbc: Buffer.from('060960864801650304012a', 'hex'),
} as const

const sequence = 0x30
const set = 0x31
const octetString = 0x04
const version2 = Buffer.of(0x02, 0x01, 0x02)
const nothing = Buffer.of(0x05, 0x00)

const sha256 = element(sequence, oids.sha256, nothing)
const oaepSha256 = element(
  sequence,
  oids.oaep,
  element(sequence, element(0xa0, sha256), element(0xa1, element(sequence, oids.mgf1, sha256))),
)

/**
 * Encrypts the plaintext so that only the holder of the private key can read it: a new AES-256-CBC
 * key, wrapped with RSAES-OAEP and SHA-256. The caller overwrites `plaintext`.
 * @param publicKey RSA, from a verified document
 */
export function sealForRecipient(publicKey: KeyObject, plaintext: Uint8Array): Buffer {
  const contentKey = randomBytes(32)
  const iv = randomBytes(16)
  try {
    const cipher = createCipheriv('aes-256-cbc', contentKey, iv)
    const content = Buffer.concat([cipher.update(plaintext), cipher.final()])
    const padding = constants.RSA_PKCS1_OAEP_PADDING
    const options = { key: publicKey, padding, oaepHash: 'sha256' }
    return envelope(keyIdentifier(publicKey), publicEncrypt(options, contentKey), iv, content)
  } finally {
    contentKey.fill(0)
  }
}

/** 32 bytes, like AWS's. It is unknown how AWS derives them, and no recipient compares them. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest()
}

function envelope(identifier: Buffer, sealedKey: Buffer, iv: Buffer, content: Buffer): Buffer {
  const recipient = element(
    sequence,
    version2,
    element(0x80, identifier),
    oaepSha256,
    element(octetString, sealedKey),
  )
  const contentAlgorithm = element(sequence, oids.aes256Cbc, element(octetString, iv))
  const encrypted = open(0xa0, element(octetString, content))
  const contentInfo = open(sequence, oids.data, contentAlgorithm, encrypted)
  const enveloped = open(sequence, version2, element(set, recipient), contentInfo)
  return open(sequence, oids.envelopedData, open(0xa0, enveloped))
}

/** An element of definite length, below 65536 bytes. */
function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...head), content])
}

/** An element of indefinite length. */
function open(tag: number, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.of(tag, 0x80), ...parts, Buffer.of(0x00, 0x00)])
}
