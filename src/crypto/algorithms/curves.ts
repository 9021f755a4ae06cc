/**
 * The elliptic curves y² = x³ + ax + b of the key specs: their parameters and DER encodings.
 * @see FIPS 186-5, SP 800-186 §3.2.1; SEC 2 §2.4.1 (secp256k1); RFC 5480 and RFC 5915 for the
 * encodings
 * @module
 */
import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { der } from './der.ts'

export interface Curve {
  /** OpenSSL's name. */
  readonly name: string
  /** Bytes of a coordinate and of a scalar. */
  readonly bytes: number
  /** The field's prime. */
  readonly p: bigint
  /** The order of the generator, a prime; the cofactor is 1. */
  readonly n: bigint
  /** DER, with tag and length. */
  readonly oid: Buffer
}

const P256: Curve = {
  name: 'prime256v1',
  bytes: 32,
  p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  oid: Buffer.from('06082a8648ce3d030107', 'hex'),
}

const P384: Curve = {
  name: 'secp384r1',
  bytes: 48,
  p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
  n: 2n ** 384n - 0x389cb27e0bc8d220a7e5f24db74f58851313e695333ad68dn,
  oid: Buffer.from('06052b81040022', 'hex'),
}

const P521: Curve = {
  name: 'secp521r1',
  bytes: 66,
  p: 2n ** 521n - 1n,
  n: 2n ** 521n - 0x5ae79787c40d069948033feb708f65a2fc44a36477663b851449048e16ec79bf7n,
  oid: Buffer.from('06052b81040023', 'hex'),
}

const P256K1: Curve = {
  name: 'secp256k1',
  bytes: 32,
  p: 2n ** 256n - 2n ** 32n - 977n,
  n: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  oid: Buffer.from('06052b8104000a', 'hex'),
}

const curves: ReadonlyMap<string, Curve> = new Map(
  [P256, P384, P521, P256K1].map((curve) => [curve.name, curve]),
)

const idEcPublicKey = Buffer.from('06072a8648ce3d0201', 'hex')

/** Returns the curve of an elliptic curve key. */
export function curveOf(key: KeyObject): Curve {
  const curve = curves.get(key.asymmetricKeyDetails?.namedCurve ?? '')
  assert(curve !== undefined, 'the key is on an unknown curve')
  return curve
}

/** Returns the private scalar, `curve.bytes` long. The caller overwrites it when done. */
export function exportScalar(privateKey: KeyObject): Buffer {
  return privateKey.export({ format: 'raw-private' })
}

/** Returns `04 ‖ x ‖ y`, for private keys too. */
export function exportPoint(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return publicKey.export({ format: 'raw-public' })
}

/** @throws {Error} if the bytes are not a point on the curve */
export function importPoint(curve: Curve, point: Uint8Array): KeyObject {
  return createPublicKey({
    key: point,
    format: 'raw-public',
    asymmetricKeyType: 'ec',
    namedCurve: curve.name,
  })
}

/**
 * Encodes a private key in PKCS #8, DER, as AWS KMS does: version 0, and an ECPrivateKey that names
 * the curve again and contains the public point (144 bytes for secp256k1, where OpenSSL writes
 * 135). The caller overwrites it when done.
 */
export function encodePrivateKey(curve: Curve, scalar: Uint8Array, point: Uint8Array): Buffer {
  const tail = Buffer.concat([der(0xa0, curve.oid), der(0xa1, der(0x03, Buffer.of(0), point))])
  // The scalar is written only into the finished encoding, so that no other copy of it remains.
  const blank = der(0x04, Buffer.alloc(curve.bytes))
  const ecPrivateKey = der(0x30, Buffer.of(0x02, 0x01, 0x01), blank, tail)
  const algorithm = der(0x30, idEcPublicKey, curve.oid)
  const key = der(0x30, Buffer.of(0x02, 0x01, 0x00), algorithm, der(0x04, ecPrivateKey))
  key.set(scalar, key.length - tail.length - curve.bytes)
  return key
}

/**
 * Builds the private key of `scalar`. With the public point in the encoding, OpenSSL does not
 * compute it again, which on the slower curves would cost as much as a signature.
 */
export function importScalar(curve: Curve, scalar: Uint8Array, point: Uint8Array): KeyObject {
  const key = encodePrivateKey(curve, scalar, point)
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  } finally {
    key.fill(0)
  }
}

/** The bytes of SubjectPublicKeyInfo, DER, before the point, which is `pointBytes` long. */
export function publicKeyHeader(curve: Curve, pointBytes: number): Buffer {
  const point = Buffer.alloc(pointBytes)
  const whole = der(0x30, der(0x30, idEcPublicKey, curve.oid), der(0x03, Buffer.of(0), point))
  return whole.subarray(0, whole.length - pointBytes)
}
