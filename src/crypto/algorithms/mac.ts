/** GenerateMac and VerifyMac for a row of the algorithm table. @see FIPS 198-1 @module */
import type { KeyObject } from 'node:crypto'
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { MacAlgorithm } from './table.ts'

/** Returns the whole MAC, `row.hash.bytes` long. */
export function generateMac(row: MacAlgorithm, key: KeyObject, message: Uint8Array): Buffer {
  return createHmac(row.hash.name, key).update(message).digest()
}

/** Whether `mac` is the message's whole MAC; truncated ones are refused. Constant time. */
export function verifyMac(
  row: MacAlgorithm,
  key: KeyObject,
  message: Uint8Array,
  mac: Uint8Array,
): boolean {
  const expected = generateMac(row, key, message)
  return mac.length === expected.length && timingSafeEqual(mac, expected)
}
