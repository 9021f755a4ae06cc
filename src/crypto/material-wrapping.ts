/**
 * Unwraps imported material: RSAES-OAEP, or CKM_RSA_AES_KEY_WRAP, which wraps an AES key with
 * RSAES-OAEP and the material under that key with AES-KWP. The key specs decide which of them is
 * allowed.
 * @see RFC 8017 §7.1, RFC 5649; PKCS #11 v3.0 §2.1.21
 * @module
 */
import assert from 'node:assert/strict'
import { constants, createDecipheriv, createPrivateKey, privateDecrypt } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { KmsError } from '../errors.ts'
import type { KeySpec } from '../model/key.ts'
import { sha1, sha256, type HashFunction } from './algorithms/hashes.ts'
import { readImportedPair } from './algorithms/imported-pairs.ts'
import { keySpecs } from './key-specs.ts'

interface WrappingAlgorithm {
  readonly hash: HashFunction
  /** Whether the material is wrapped under a 32-byte AES key. */
  readonly hybrid: boolean
}

const algorithms: ReadonlyMap<string, WrappingAlgorithm> = new Map([
  ['RSAES_OAEP_SHA_1', { hash: sha1, hybrid: false }],
  ['RSAES_OAEP_SHA_256', { hash: sha256, hybrid: false }],
  ['RSA_AES_KEY_WRAP_SHA_1', { hash: sha1, hybrid: true }],
  ['RSA_AES_KEY_WRAP_SHA_256', { hash: sha256, hybrid: true }],
])

export interface WrappedMaterial {
  readonly algorithm: string
  /** The private half of the wrapping key, PKCS #8, DER. It is overwritten. */
  readonly wrappingKey: Uint8Array
  readonly wrapped: Uint8Array
  /** The spec that the material must have. */
  readonly spec: KeySpec
}

/**
 * Returns the material in the encoding of its spec. The caller overwrites it. Slow.
 * @throws {KmsError} `InvalidCiphertextException` without a message, whatever the cause
 */
export function unwrapMaterial({ algorithm, wrappingKey, wrapped, spec }: WrappedMaterial): Buffer {
  const row = algorithms.get(algorithm)
  assert(row !== undefined, 'no such wrapping algorithm')
  const key = openWrappingKey(wrappingKey)
  let material: Buffer | undefined
  try {
    material = row.hybrid ? openHybrid(row, key, wrapped) : openOaep(row, key, wrapped)
    return readMaterial(spec, material)
  } catch {
    // Wrong padding, a wrong length and an invalid key look the same: the reason must not reach the
    // caller.
    throw new KmsError('InvalidCiphertextException')
  } finally {
    material?.fill(0)
  }
}

/** Material that is not wrapped. It is overwritten. */
export interface GivenMaterial {
  readonly spec: KeySpec
  readonly material: Uint8Array
}

/**
 * Returns the material in the encoding of its spec. The caller overwrites it. Slow.
 * @throws {KmsError} `ValidationException`
 */
export function readGivenMaterial({ spec, material }: GivenMaterial): Buffer {
  try {
    return readMaterial(spec, Buffer.from(material.buffer, material.byteOffset, material.length))
  } catch {
    // OpenSSL's message must not reach the caller.
    throw new KmsError('ValidationException', `is not material of ${spec}: ${formOf(spec)}`)
  } finally {
    material.fill(0)
  }
}

function formOf(spec: KeySpec): string {
  const form = keySpecs[spec].material
  if (form.encoding === 'pkcs8') return 'a private key in PKCS #8 is needed'
  const { bytesMin, bytesMax } = form
  return bytesMin === bytesMax
    ? `${bytesMin} bytes are needed`
    : `${bytesMin} to ${bytesMax} bytes are needed`
}

function openWrappingKey(wrappingKey: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(wrappingKey), format: 'der', type: 'pkcs8' })
  } finally {
    wrappingKey.fill(0)
  }
}

function openOaep({ hash }: WrappingAlgorithm, key: KeyObject, wrapped: Uint8Array): Buffer {
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  return privateDecrypt({ key, padding, oaepHash: hash.name }, wrapped)
}

const wrapIv = Buffer.from('a65959a6', 'hex')
const aesKeyBytes = 32

function openHybrid(row: WrappingAlgorithm, key: KeyObject, wrapped: Uint8Array): Buffer {
  const modulusBytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8
  const aesKey = openOaep(row, key, wrapped.subarray(0, modulusBytes))
  try {
    assert(aesKey.length === aesKeyBytes, 'the inner key is not of 256 bits')
    return openKeyWrap(aesKey, wrapped.subarray(modulusBytes))
  } finally {
    aesKey.fill(0)
  }
}

/** Unwraps AES-KWP under a 256-bit key. Throws if the bytes do not authenticate. @see RFC 5649 */
export function openKeyWrap(aesKey: Uint8Array, wrapped: Uint8Array): Buffer {
  // KWP buffers nothing: it returns everything, or throws.
  return createDecipheriv('id-aes256-wrap-pad', aesKey, wrapIv).update(wrapped)
}

function readMaterial(spec: KeySpec, material: Buffer): Buffer {
  const form = keySpecs[spec].material
  if (form.encoding === 'pkcs8') return readImportedPair(spec, material)
  const { length } = material
  assert(length >= form.bytesMin && length <= form.bytesMax, 'material of another length')
  return Buffer.from(material)
}
