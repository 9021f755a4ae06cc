/**
 * The record of a sealed root key, for every seal that has parameters. The format may never change for
 * existing bytes (docs/adr/0035-seals.md):
 *
 *     record  u8 2 ‖ u16 header length ‖ header ‖ iv ‖ ciphertext ‖ tag, AES-256-GCM under the seal's key
 *     AAD     "trent:root-key:2" ‖ u8 2 ‖ u16 header length ‖ header ‖ deployment id
 *     header  JSON object: `kind`, and the parameters of that kind
 *
 * A key file has no parameters. Its record has the older format, in `file.ts`.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { ivBytes, tagBytes, unwrapBytes, wrapBytes } from '../crypto/aead.ts'
import { takeSecretKey } from '../crypto/derive.ts'
import { NotAuthentic } from '../crypto/keyring.ts'
import type { Random } from '../model/clock.ts'
import { MalformedJson, parseJsonObject, type JsonLimits } from '../model/json.ts'
import { rootKeyBytes, SealRefused, type SealKind } from './seal.ts'

const format = 2
const prefixBytes = 3
export const sealKeyBytes = 32
const headerBytesMax = 16_384
const headerLimits: JsonLimits = { depthMax: 8, containersMax: 512 }

type Members = Readonly<Record<string, unknown>>
/** `kind`, and the parameters of that kind. */
export type Header = Members & { readonly kind: SealKind }

/**
 * Seals a root key under a new key of 32 bytes. The caller overwrites `rootKey`.
 * @param headerOf has a device encrypt the new key, and returns the header with the result
 */
export async function sealUnderNewKey(
  headerOf: (sealKey: Uint8Array) => Promise<Header>,
  rootKey: Uint8Array,
  deploymentId: string,
  random: Random,
): Promise<Buffer> {
  const sealKey = random.bytes(sealKeyBytes)
  try {
    const header = await headerOf(sealKey)
    return sealRecord(takeSecretKey(sealKey), header, rootKey, deploymentId, random)
  } finally {
    sealKey.fill(0)
  }
}

/** Seals a root key under the seal's key. The caller overwrites `rootKey`. */
export function sealRecord(
  key: KeyObject,
  header: Header,
  rootKey: Uint8Array,
  deploymentId: string,
  random: Random,
): Buffer {
  if (rootKey.length !== rootKeyBytes) throw new RangeError('a root key has 32 bytes')
  const text = Buffer.from(JSON.stringify(header))
  if (text.length > headerBytesMax) throw new RangeError('the header is too long')
  const head = Buffer.alloc(prefixBytes)
  head.writeUInt8(format, 0)
  head.writeUInt16BE(text.length, 1)
  const start = Buffer.concat([head, text])
  return Buffer.concat([start, wrapBytes(key, aadOf(start, deploymentId), rootKey, random)])
}

/**
 * Reads the header. Nothing proves it before the record is open: an attacker may have written it.
 * @throws {SealRefused} unless it is a header of this kind
 */
export function readHeader(record: Uint8Array, kind: SealKind): Members {
  const { text } = split(record)
  const header = parsed(text)
  if (header['kind'] !== kind) throw damaged()
  return header
}

function parsed(text: Buffer): Members {
  try {
    return parseJsonObject(text, headerLimits)
  } catch (error) {
    if (error instanceof MalformedJson) throw damaged()
    throw error
  }
}

/** @throws what `refusal` returns, unless this key sealed it for this deployment, with this header */
export function openRecord(
  key: KeyObject,
  record: Uint8Array,
  deploymentId: string,
  refusal: () => SealRefused = damaged,
): KeyObject {
  const { start, wrapped } = split(record)
  try {
    const rootKey = takeSecretKey(unwrapBytes(key, aadOf(start, deploymentId), wrapped))
    if (rootKey.symmetricKeySize !== rootKeyBytes) throw new NotAuthentic('not a root key')
    return rootKey
  } catch (error) {
    throw error instanceof NotAuthentic ? refusal() : error
  }
}

/** The refusal of a record that cannot be read, or that the right secret does not open. */
export function damaged(): SealRefused {
  return new SealRefused(
    'the record of the sealed root key is damaged or was changed: put the database back from a backup',
  )
}

function split(record: Uint8Array): {
  readonly start: Buffer
  readonly text: Buffer
  readonly wrapped: Buffer
} {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength)
  if (bytes.length < prefixBytes || bytes.readUInt8(0) !== format) throw damaged()
  const end = prefixBytes + bytes.readUInt16BE(1)
  if (end - prefixBytes > headerBytesMax) throw damaged()
  if (bytes.length !== end + ivBytes + rootKeyBytes + tagBytes) throw damaged()
  return {
    start: bytes.subarray(0, end),
    text: bytes.subarray(prefixBytes, end),
    wrapped: bytes.subarray(end),
  }
}

function aadOf(start: Uint8Array, deploymentId: string): Buffer {
  return Buffer.concat([Buffer.from('trent:root-key:2'), start, Buffer.from(deploymentId)])
}
