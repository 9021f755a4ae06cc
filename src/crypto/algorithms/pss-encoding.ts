/**
 * EMSA-PSS with MGF1 over the same hash and a salt as long as the digest.
 * @see RFC 8017 §9.1, §B.2.1
 * @module
 */
import { hash as digestOf, randomBytes, timingSafeEqual } from 'node:crypto'
import type { HashFunction } from './hashes.ts'

const trailer = 0xbc

/**
 * Encodes `digest` with a new salt for a modulus of `modulusBits`; the result is as long as the
 * modulus.
 */
export function encodePss(hash: HashFunction, digest: Uint8Array, modulusBits: number): Buffer {
  const salt = randomBytes(hash.bytes)
  const fingerprint = saltedDigest(hash, digest, salt)
  const { length, dbBytes, firstMask } = layout(hash, modulusBits)
  const db = Buffer.alloc(dbBytes)
  db[dbBytes - salt.length - 1] = 1
  salt.copy(db, dbBytes - salt.length)
  xor(db, generateMask(hash, fingerprint, dbBytes))
  db[0] = (db[0] ?? 0) & firstMask
  const encoded = Buffer.concat([db, fingerprint, Buffer.of(trailer)])
  return Buffer.concat([Buffer.alloc(length - encoded.length), encoded])
}

/** Whether `encoded`, as long as the modulus, encodes `digest` with a salt of the digest's length. */
export function isPss(
  hash: HashFunction,
  digest: Uint8Array,
  encoded: Buffer,
  modulusBits: number,
): boolean {
  const { length, dbBytes, firstMask } = layout(hash, modulusBits)
  if (encoded.length !== length || encoded[length - 1] !== trailer) return false
  const start = length - dbBytes - hash.bytes - 1
  if (encoded.subarray(0, start).some((byte) => byte !== 0)) return false
  const db = Buffer.from(encoded.subarray(start, start + dbBytes))
  if (((db[0] ?? 0) & ~firstMask) !== 0) return false
  const fingerprint = encoded.subarray(start + dbBytes, length - 1)
  xor(db, generateMask(hash, fingerprint, dbBytes))
  db[0] = (db[0] ?? 0) & firstMask
  const one = dbBytes - hash.bytes - 1
  if (db[one] !== 1 || db.subarray(0, one).some((byte) => byte !== 0)) return false
  return timingSafeEqual(saltedDigest(hash, digest, db.subarray(one + 1)), fingerprint)
}

/** The encoding has one bit less than the modulus, so that its number is always smaller. */
function layout(
  hash: HashFunction,
  modulusBits: number,
): { readonly length: number; readonly dbBytes: number; readonly firstMask: number } {
  const encodedBytes = Math.ceil((modulusBits - 1) / 8)
  return {
    length: Math.ceil(modulusBits / 8),
    dbBytes: encodedBytes - hash.bytes - 1,
    firstMask: 0xff >> (8 * encodedBytes - (modulusBits - 1)),
  }
}

function saltedDigest(hash: HashFunction, digest: Uint8Array, salt: Uint8Array): Buffer {
  return digestOf(hash.name, Buffer.concat([Buffer.alloc(8), digest, salt]), 'buffer')
}

/** MGF1. */
function generateMask(hash: HashFunction, seed: Uint8Array, length: number): Buffer {
  const blocks: Buffer[] = []
  for (let counter = 0; counter * hash.bytes < length; counter += 1) {
    const suffix = Buffer.alloc(4)
    suffix.writeUInt32BE(counter)
    blocks.push(digestOf(hash.name, Buffer.concat([seed, suffix]), 'buffer'))
  }
  return Buffer.concat(blocks, length)
}

function xor(target: Buffer, mask: Buffer): void {
  for (const [at, byte] of mask.entries()) target[at] = (target[at] ?? 0) ^ byte
}
