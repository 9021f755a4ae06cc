/**
 * Imports into the built-in store. Each import token has its own wrapping key, which exists only inside the
 * token, sealed for one KMS key. Nothing is stored, a newer token does not end an older one, and any
 * node of the deployment accepts it (ADR 0017).
 *
 *     token = sealed( u64 valid to ‖ u8 length ‖ wrapping algorithm ‖ private key, PKCS #8 DER )
 *     sealed for the purpose `import` and the scope "account/region/key id" (`crypto/tokens.ts`)
 *
 * @module
 */
import { NotAuthentic, type Keyring } from '../../crypto/keyring.ts'
import { wrapMaterial } from '../../crypto/material.ts'
import type { SlowLane } from '../../crypto/slow-lane.ts'
import { KmsError } from '../../errors.ts'
import type { Clock } from '../../model/clock.ts'
import type { KeyRef } from '../../model/key.ts'
import type { KeyStore } from '../keystore.ts'

export interface ImportDependencies {
  readonly keyring: Pick<Keyring, 'sealToken' | 'openToken' | 'wrap'>
  readonly clock: Clock
  /** The lane that generates wrapping keys. */
  readonly primeLane: Pick<SlowLane, 'run'>
  /** The lane that unwraps material. */
  readonly slowLane: Pick<SlowLane, 'run'>
}

const validMs = 86_400_000

export function importMethods(
  dependencies: ImportDependencies,
): Pick<KeyStore, 'importParameters' | 'importMaterial'> {
  const { keyring, clock, primeLane, slowLane } = dependencies
  return {
    async importParameters(key, { algorithm, keySpec }, signal) {
      signal.throwIfAborted()
      const pair = await primeLane.run('generate-key-pair', { spec: keySpec }, signal)
      const validTo = clock.now() + validMs
      const payload = payloadOf({ validTo, algorithm, wrappingKey: pair.privateKey })
      try {
        const token = Buffer.from(keyring.sealToken('import', scopeOf(key), payload), 'base64url')
        return { publicKey: pair.publicKey, token, validTo }
      } finally {
        payload.fill(0)
        pair.privateKey.fill(0)
      }
    },

    async importMaterial(key, token, wrapped, signal) {
      signal.throwIfAborted()
      const { validTo, algorithm, wrappingKey } = readToken(keyring, key, token)
      if (clock.now() >= validTo) {
        wrappingKey.fill(0)
        throw expired()
      }
      const { spec } = key
      const task = { algorithm, wrappingKey, wrapped: new Uint8Array(wrapped), spec }
      const material = await slowLane.run('unwrap-material', task, signal)
      try {
        return wrapMaterial(keyring, { ...placeOf(key), createdAt: clock.now() }, material)
      } finally {
        material.fill(0)
      }
    },
  }
}

interface TokenPayload {
  readonly validTo: number
  readonly algorithm: string
  /** PKCS #8, DER, in its own memory. */
  readonly wrappingKey: Uint8Array
}

/** Keys with the same id in different Regions are different keys. */
function scopeOf({ accountId, region, keyId }: KeyRef): string {
  return `${accountId}/${region}/${keyId}`
}

function placeOf(
  key: Parameters<KeyStore['importMaterial']>[0],
): Omit<Parameters<typeof wrapMaterial>[1], 'createdAt'> {
  const { accountId, region, keyId, spec, usage, origin } = key
  return { accountId, region, keyId, spec, usage, origin }
}

const headerBytes = 9

function payloadOf({ validTo, algorithm, wrappingKey }: TokenPayload): Buffer {
  const header = Buffer.alloc(headerBytes)
  header.writeBigUInt64BE(BigInt(validTo))
  header.writeUInt8(algorithm.length, headerBytes - 1)
  return Buffer.concat([header, Buffer.from(algorithm, 'latin1'), wrappingKey])
}

/** @throws {KmsError} `InvalidImportTokenException`, without a message as at AWS */
function readToken(
  keyring: ImportDependencies['keyring'],
  key: KeyRef,
  token: Uint8Array,
): TokenPayload {
  const text = Buffer.from(token.buffer, token.byteOffset, token.length).toString('base64url')
  const payload = openToken(keyring, key, text)
  const keyStart = headerBytes + payload.readUInt8(headerBytes - 1)
  const opened = {
    validTo: Number(payload.readBigUInt64BE()),
    algorithm: payload.toString('latin1', headerBytes, keyStart),
    wrappingKey: new Uint8Array(payload.subarray(keyStart)),
  }
  payload.fill(0)
  return opened
}

function openToken(keyring: ImportDependencies['keyring'], key: KeyRef, text: string): Buffer {
  try {
    return keyring.openToken('import', scopeOf(key), text)
  } catch (error) {
    if (!(error instanceof NotAuthentic)) throw error
    throw new KmsError('InvalidImportTokenException')
  }
}

function expired(): KmsError {
  return new KmsError(
    'ExpiredImportTokenException',
    'The request was rejected because the specified import token is expired. Use ' +
      'GetParametersForImport to get a new import token and public key, use the new public key to ' +
      'encrypt the key material, and then try the request again.',
  )
}
