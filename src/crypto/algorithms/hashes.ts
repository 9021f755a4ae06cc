/**
 * The hash functions of the algorithm table.
 * @see RFC 8017 §9.2 note 1 for the DigestInfo prefixes
 * @module
 */

export interface HashFunction {
  /** OpenSSL's name. */
  readonly name: 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512'
  readonly bytes: number
}

/** A hash for signatures with PKCS #1 v1.5. */
export interface SignatureHash extends HashFunction {
  /** DER of DigestInfo before the digest; `digestInfo ‖ digest` is padded and signed. */
  readonly digestInfo: Buffer
}

export const sha1: HashFunction = { name: 'sha1', bytes: 20 }
export const sha224: HashFunction = { name: 'sha224', bytes: 28 }
export const sha256: SignatureHash = signatureHash('sha256', 32, 0x01)
export const sha384: SignatureHash = signatureHash('sha384', 48, 0x02)
export const sha512: SignatureHash = signatureHash('sha512', 64, 0x03)

/** @param arc the last arc of the hash's object identifier under 2.16.840.1.101.3.4.2 */
function signatureHash(name: HashFunction['name'], bytes: number, arc: number): SignatureHash {
  const oid = Buffer.of(0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc)
  const digestInfo = Buffer.concat([
    Buffer.of(0x30, oid.length + 6 + bytes, 0x30, oid.length + 2),
    oid,
    Buffer.of(0x05, 0x00, 0x04, bytes),
  ])
  return { name, bytes, digestInfo }
}
