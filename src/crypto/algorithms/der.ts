/**
 * The part of DER that the algorithms need: writing values, and strict reading of an ECDSA
 * signature.
 * @see ITU-T X.690 §8, §10; RFC 3279 §2.2.3 (ECDSA-Sig-Value)
 * @module
 */
import { toBytes, toInteger } from './scalars.ts'

/** One DER value: `tag ‖ length ‖ contents`. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const length = contents.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Buffer.of(tag), lengthOf(length), ...contents])
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length)
  if (length < 0x100) return Buffer.of(0x81, length)
  return Buffer.of(0x82, length >> 8, length & 0xff)
}

/** `SEQUENCE { INTEGER r, INTEGER s }` of two positive numbers below 256 ** `bytes`. */
export function encodeSignature(r: bigint, s: bigint, bytes: number): Buffer {
  return der(0x30, encodeInteger(r, bytes), encodeInteger(s, bytes))
}

function encodeInteger(value: bigint, bytes: number): Buffer {
  const wide = toBytes(value, bytes + 1)
  let start = 0
  // Keeps one leading zero if the next byte would otherwise read as a sign.
  while (start < bytes && wide[start] === 0 && (wide[start + 1] ?? 0) < 0x80) start += 1
  return der(0x02, wide.subarray(start))
}

/** Reads only what `encodeSignature` writes. Returns undefined for anything else. */
export function decodeSignature(
  signature: Uint8Array,
  bytes: number,
): { readonly r: bigint; readonly s: bigint } | undefined {
  // Caller-controlled: the longest valid encoding bounds the work below.
  if (signature.length > 3 + 2 * (3 + bytes)) return undefined
  const headerBytes = signature[1] === 0x81 ? 3 : 2
  const rLength = signature[headerBytes + 1] ?? 0
  const rStart = headerBytes + 2
  const sStart = rStart + rLength + 2
  const r = toInteger(signature.subarray(rStart, rStart + rLength))
  const s = toInteger(signature.subarray(sStart))
  const limit = 1n << BigInt(8 * bytes)
  if (r >= limit || s >= limit) return undefined
  // Each pair has exactly one encoding, so encoding it again is a complete check.
  return Buffer.compare(encodeSignature(r, s, bytes), signature) === 0 ? { r, s } : undefined
}
