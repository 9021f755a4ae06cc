/**
 * Arithmetic on numbers as wide as an elliptic curve's order. BigInt's running time depends on the
 * values, so a secret must be masked with new randomness before it comes here.
 * @module
 */
import { randomBytes } from 'node:crypto'

/** Reads big-endian bytes word by word. A string would keep the secret in memory after the call. */
export function toInteger(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const head = bytes.byteLength % 8
  let value = 0n
  for (let at = 0; at < head; at += 1) value = (value << 8n) | BigInt(view.getUint8(at))
  for (let at = head; at < bytes.byteLength; at += 8) {
    value = (value << 64n) | view.getBigUint64(at)
  }
  return value
}

/** Writes `value`, which must fit, as `length` big-endian bytes in newly allocated memory. */
export function toBytes(value: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let rest = value
  let end = length
  for (; end >= 8; end -= 8) {
    bytes.writeBigUInt64BE(BigInt.asUintN(64, rest), end - 8)
    rest >>= 64n
  }
  for (; end > 0; end -= 1) {
    bytes.writeUInt8(Number(rest & 0xffn), end - 1)
    rest >>= 8n
  }
  if (rest !== 0n) throw new RangeError('number is too wide')
  return bytes
}

/** Returns the remainder in 0 … modulus − 1, for negative values too. */
export function mod(value: bigint, modulus: bigint): bigint {
  const remainder = value % modulus
  return remainder < 0n ? remainder + modulus : remainder
}

/** Returns the inverse of `value` (1 … modulus − 1) modulo a prime, by Euclid's algorithm. */
export function inverse(value: bigint, modulus: bigint): bigint {
  let [r0, r1, t0, t1] = [modulus, value, 0n, 1n]
  while (r1 !== 0n) {
    const quotient = r0 / r1
    ;[r0, r1] = [r1, r0 - quotient * r1]
    ;[t0, t1] = [t1, t0 - quotient * t1]
  }
  if (r0 !== 1n) throw new RangeError('number has no inverse')
  return mod(t0, modulus)
}

/** Returns a uniform number in 0 … modulus − 1. Eight extra bytes make the bias negligible. */
export function randomInteger(modulus: bigint, modulusBytes: number): bigint {
  return toInteger(randomBytes(modulusBytes + 8)) % modulus
}
