/**
 * Reads private keys for import: checks PKCS #8, proves that they form a pair of their key spec,
 * and encodes them again, so that each key has one encoding and one KeyMaterialId.
 *
 * AWS accepts BER for RSA and elliptic curves but only DER for Ed25519; so does Trent. This file
 * checks what OpenSSL does not: trailing bytes, scalars out of range, the point of another key.
 * @see RFC 5208, RFC 5915, RFC 8410; FIPS 186-5 §A.1.1 (public exponents), SP 800-56B §6.4.1
 * (consistency)
 * @module
 */
import assert from 'node:assert/strict'
import { createECDH, createPublicKey, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { KeySpec } from '../../model/key.ts'
import { curveOf, encodePrivateKey, exportPoint, exportScalar } from './curves.ts'
import { openMaterial } from './key-forms.ts'

/**
 * Returns PKCS #8, DER, of a key pair of `spec`. The caller overwrites it.
 * @throws {Error} for anything else
 */
export function readImportedPair(spec: KeySpec, encoded: Uint8Array): Buffer {
  const key = openMaterial(spec, encoded)
  const type = key.asymmetricKeyType
  assert(isWhole(encoded, type === 'rsa' || type === 'ec'), 'not one PKCS #8 value')
  if (type === 'ec') return encodeCurveKey(key)
  if (type === 'rsa') checkRsaKey(key)
  return key.export({ format: 'der', type: 'pkcs8' })
}

const indefinite = 0x80

/** Whether the outer value ends at the last byte. */
function isWhole(encoded: Uint8Array, ber: boolean): boolean {
  const [, first = 0] = encoded
  if (first === indefinite) return ber && encoded.at(-1) === 0 && encoded.at(-2) === 0
  if (first < indefinite) return encoded.length === 2 + first
  const bytes = first & 0x7f
  const length = encoded.subarray(2, 2 + bytes).reduce((sum, byte) => sum * 256 + byte, 0)
  return encoded.length === 2 + bytes + length
}

/** Computes the point, because OpenSSL accepts any scalar and any point in the encoding. */
function encodeCurveKey(key: KeyObject): Buffer {
  const curve = curveOf(key)
  const scalar = exportScalar(key)
  try {
    const computed = createECDH(curve.name)
    computed.setPrivateKey(scalar)
    const point = computed.getPublicKey()
    assert(point.equals(exportPoint(key)), 'the point belongs to another key')
    return encodePrivateKey(curve, scalar, point)
  } finally {
    scalar.fill(0)
  }
}

const exponentMin = 65_537n
const exponentLimit = 2n ** 256n
const probe = Buffer.from('trent: does the private key belong to the public one?')

function checkRsaKey(key: KeyObject): void {
  const exponent = key.asymmetricKeyDetails?.publicExponent ?? 0n
  assert(exponent >= exponentMin && exponent < exponentLimit, 'public exponent out of range')
  assert(exponent % 2n === 1n, 'public exponent is even')
  const signature = sign('sha256', probe, key)
  assert(verify('sha256', probe, createPublicKey(key), signature), 'not a pair')
}
