/**
 * ECDSA over a given digest, built on an ECDSA that only takes messages (ADR 0004).
 *
 * Let z be the digest as a number and d the private scalar. OpenSSL signs a random throwaway
 * message with digest y under the key d·c with c = y/z (all modulo the curve's order n). It
 * returns r and s′ = k⁻¹(y + r·d·c) = c·k⁻¹(z + r·d), so s = s′/c makes (r, s) an ordinary
 * signature of z under d. The nonce k never leaves OpenSSL, nor does any arithmetic that depends on
 * it.
 *
 * d·c is the only product of a secret that is computed here, in BigInt. c is random and nobody else
 * knows it. d is first split into two random halves, so that no number in the computation can be
 * predicted.
 *
 * To verify, OpenSSL checks the same throwaway message under the key Q + ((z − y)/r)·G: its check,
 * R = (y/s)·G + (r/s)·Q′, is then the check for z. All values in it are public.
 * @see FIPS 186-5 §6.4
 * @module
 */
import type { KeyObject } from 'node:crypto'
import {
  createECDH,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash as digestOf,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import type { Curve } from './curves.ts'
import { curveOf, exportPoint, exportScalar, importPoint, importScalar } from './curves.ts'
import { decodeSignature, encodeSignature } from './der.ts'
import type { HashFunction } from './hashes.ts'
import { inverse, mod, randomInteger, toBytes, toInteger } from './scalars.ts'

/** Signs a digest of `hash.bytes` bytes. Returns DER. */
export function signDigest(hash: HashFunction, privateKey: KeyObject, digest: Uint8Array): Buffer {
  const curve = curveOf(privateKey)
  const z = toInteger(digest) % curve.n
  if (z === 0n) return signZero(curve, privateKey)
  const { message, y } = throwaway(hash, curve)
  // One inversion yields both: 1/z = y/(zy) and 1/y = z/(zy).
  const both = inverse(mod(z * y, curve.n), curve.n)
  const c = mod(y * mod(y * both, curve.n), curve.n)
  const cInverse = mod(z * mod(z * both, curve.n), curve.n)
  const scaledKey = scaleKey(curve, privateKey, c)
  const pair = sign(hash.name, message, { key: scaledKey, dsaEncoding: 'ieee-p1363' })
  const r = toInteger(pair.subarray(0, curve.bytes))
  const s = mod(toInteger(pair.subarray(curve.bytes)) * cInverse, curve.n)
  return encodeSignature(r, s, curve.bytes)
}

/** Whether `signature`, in strict DER, is valid for the digest. */
export function verifyDigest(
  hash: HashFunction,
  publicKey: KeyObject,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const curve = curveOf(publicKey)
  const numbers = decodeSignature(signature, curve.bytes)
  if (numbers === undefined) return false
  const { r, s } = numbers
  if (r === 0n || r >= curve.n || s === 0n || s >= curve.n) return false
  const z = toInteger(digest) % curve.n
  const rInverse = inverse(r, curve.n)
  const pair = Buffer.concat([toBytes(r, curve.bytes), toBytes(s, curve.bytes)])
  for (;;) {
    const { message, y } = throwaway(hash, curve)
    const shifted = shiftKey(curve, publicKey, mod((z - y) * rInverse, curve.n))
    // Undefined with a probability of 4/n, whoever chose key, digest and signature, because y is
    // random.
    if (shifted === undefined) continue
    return verify(hash.name, message, { key: shifted, dsaEncoding: 'ieee-p1363' }, pair)
  }
}

/** Returns a random message, and its digest as a number modulo n other than 0. */
function throwaway(
  hash: HashFunction,
  curve: Curve,
): { readonly message: Buffer; readonly y: bigint } {
  for (;;) {
    const message = randomBytes(hash.bytes)
    const y = toInteger(digestOf(hash.name, message, 'buffer')) % curve.n
    if (y !== 0n) return { message, y }
  }
}

/**
 * Returns the private key d·c. Its encoding contains d's public point, which signing never reads.
 */
function scaleKey(curve: Curve, privateKey: KeyObject, c: bigint): KeyObject {
  const scalar = exportScalar(privateKey)
  const mask = randomInteger(curve.n, curve.bytes)
  const masked = mod(toInteger(scalar) - mask, curve.n)
  const scaled = toBytes(
    mod(mod(masked * c, curve.n) + mod(mask * c, curve.n), curve.n),
    curve.bytes,
  )
  try {
    return importScalar(curve, scaled, exportPoint(privateKey))
  } finally {
    scalar.fill(0)
    scaled.fill(0)
  }
}

/**
 * Signs a digest that is 0 modulo n, which has no inverse. Such a signature needs no private key
 * and proves nothing (anyone can compute one: R = t·Q, r = x(R), s = r/t), but it is the correct
 * result of ECDSA.
 */
function signZero(curve: Curve, privateKey: KeyObject): Buffer {
  for (;;) {
    const ephemeral = generateKeyPairSync('ec', { namedCurve: curve.name })
    const shared = diffieHellman({
      privateKey: ephemeral.privateKey,
      publicKey: createPublicKey(privateKey),
    })
    const r = toInteger(shared) % curve.n
    if (r === 0n) continue
    const t = toInteger(exportScalar(ephemeral.privateKey))
    return encodeSignature(r, mod(r * inverse(t, curve.n), curve.n), curve.bytes)
  }
}

/** Returns the public key Q + t·G; undefined if t·G is the point at infinity, Q or −Q. */
export function shiftKey(curve: Curve, publicKey: KeyObject, t: bigint): KeyObject | undefined {
  if (t === 0n) return undefined
  const generator = createECDH(curve.name)
  generator.setPrivateKey(toBytes(t, curve.bytes))
  const [x1, y1] = coordinates(curve, generator.getPublicKey())
  const [x2, y2] = coordinates(curve, exportPoint(publicKey))
  if (x1 === x2) return undefined
  const slope = mod((y2 - y1) * inverse(mod(x2 - x1, curve.p), curve.p), curve.p)
  const x = mod(slope * slope - x1 - x2, curve.p)
  const y = mod(slope * (x1 - x) - y1, curve.p)
  const point = Buffer.concat([Buffer.of(4), toBytes(x, curve.bytes), toBytes(y, curve.bytes)])
  return importPoint(curve, point)
}

function coordinates(curve: Curve, point: Buffer): readonly [bigint, bigint] {
  return [toInteger(point.subarray(1, 1 + curve.bytes)), toInteger(point.subarray(1 + curve.bytes))]
}
