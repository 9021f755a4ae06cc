/**
 * How material is wrapped to be imported: RSAES-OAEP, or CKM_RSA_AES_KEY_WRAP, which puts an AES key under
 * RSAES-OAEP and the material under that key, by AES-KWP. Which of them is for which material is a matter of
 * the key specs.
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
  /** Through an AES key of 32 bytes. */
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
  /** The wrapping key's private half, PKCS #8, DER: overwritten. */
  readonly wrappingKey: Uint8Array
  readonly wrapped: Uint8Array
  /** What the material is to be of. */
  readonly spec: KeySpec
}

/**
 * The material in the encoding of its spec; the caller overwrites it. Slow.
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
    // Wrong padding, another length and what is no key look alike: their reasons are for nobody.
    throw new KmsError('InvalidCiphertextException')
  } finally {
    material?.fill(0)
  }
}

/** What is to be material of a spec, unwrapped: overwritten. */
export interface GivenMaterial {
  readonly spec: KeySpec
  readonly material: Uint8Array
}

/**
 * The material in the encoding of its spec; the caller overwrites it. Slow.
 * @throws {KmsError} `ValidationException`
 */
export function readGivenMaterial({ spec, material }: GivenMaterial): Buffer {
  try {
    return readMaterial(spec, Buffer.from(material.buffer, material.byteOffset, material.length))
  } catch {
    // Whatever OpenSSL says of it is for nobody.
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

/**
 * Opens what AES-KWP has wrapped under a key of 256 bits. Throws for anything else.
 * @see RFC 5649
 */
export function openKeyWrap(aesKey: Uint8Array, wrapped: Uint8Array): Buffer {
  // KWP holds nothing back: it answers the whole, or throws.
  return createDecipheriv('id-aes256-wrap-pad', aesKey, wrapIv).update(wrapped)
}

function readMaterial(spec: KeySpec, material: Buffer): Buffer {
  const form = keySpecs[spec].material
  if (form.encoding === 'pkcs8') return readImportedPair(spec, material)
  const { length } = material
  assert(length >= form.bytesMin && length <= form.bytesMax, 'material of another length')
  return Buffer.from(material)
}
