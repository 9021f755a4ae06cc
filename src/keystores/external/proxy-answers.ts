/**
 * Reads a proxy's answers as strictly as the specification allows: every member has its type, its size and
 * its encoding. Unknown members are ignored, because later versions may add some.
 * @see https://github.com/aws/aws-kms-xksproxy-api-spec
 * @module
 */
import { hash } from 'node:crypto'
import { metadataBytesMax, outerIvBytes, type OuterParts } from '../../crypto/external-message.ts'
import { tagBytes } from '../../crypto/aead.ts'
import type { JsonObject } from '../../model/json.ts'
import { ProxyFailure } from './proxy-failure.ts'

/** What a proxy says about an external key. */
interface ExternalKeyMetadata {
  readonly keySpec: string
  readonly keyUsage: readonly string[]
  readonly keyStatus: string
}

/** The health of the external key managers behind a proxy. */
export type ManagerHealth = 'ACTIVE' | 'DEGRADED' | 'UNAVAILABLE'

const usagesMax = 10
const managersMax = 10
const textMax = 128
const healths: readonly ManagerHealth[] = ['ACTIVE', 'DEGRADED', 'UNAVAILABLE']

/** @throws {ProxyFailure} */
export function readMetadata(answer: JsonObject): ExternalKeyMetadata {
  const keyUsage = listOf(answer['keyUsage'], usagesMax).map(shownTextOf)
  const keySpec = shownTextOf(answer['keySpec'])
  return { keySpec, keyUsage, keyStatus: shownTextOf(answer['keyStatus']) }
}

/** The health of each key manager, 1 to 10. @throws {ProxyFailure} */
export function readHealth(answer: JsonObject): readonly ManagerHealth[] {
  const { xksProxyFleetSize: size } = answer
  if (!Number.isSafeInteger(size) || Number(size) < 1) throw invalid()
  for (const name of ['xksProxyVendor', 'xksProxyModel', 'ekmVendor']) textOf(answer[name])
  const managers = listOf(answer['ekmFleetDetails'], managersMax)
  if (managers.length === 0) throw invalid()
  return managers.map((manager) => {
    if (typeof manager !== 'object' || manager === null || Array.isArray(manager)) throw invalid()
    const { id, model, healthStatus } = manager as JsonObject
    textOf(id)
    textOf(model)
    const health = healths.find((known) => known === healthStatus)
    if (health === undefined) throw invalid()
    return health
  })
}

/**
 * Reads an encryption, and compares the value by which the proxy proves that it arrived whole.
 * @param aad the additional data of the request
 * @param plaintextBytes the length of the bytes that were encrypted
 * @throws {ProxyFailure}
 */
export function readEncrypted(
  answer: JsonObject,
  aad: Uint8Array,
  plaintextBytes: number,
): OuterParts {
  const ciphertext = bytesOf(answer['ciphertext'], plaintextBytes)
  const iv = bytesOf(answer['initializationVector'], Math.max(...outerIvBytes))
  const tag = bytesOf(answer['authenticationTag'], tagBytes)
  const given = answer['ciphertextMetadata']
  const metadata = given === undefined ? Buffer.alloc(0) : bytesOf(given, metadataBytesMax)
  const fits =
    ciphertext.length === plaintextBytes &&
    outerIvBytes.includes(iv.length) &&
    tag.length === tagBytes
  if (!fits) throw invalid()
  const value = bytesOf(answer['ciphertextDataIntegrityValue'], 32)
  const whole = Buffer.concat([aad, metadata, iv, ciphertext, tag])
  if (!value.equals(hash('sha256', whole, 'buffer'))) throw invalid()
  return { ciphertext, iv, tag, metadata }
}

/** The plaintext of a decryption. @throws {ProxyFailure} */
export function readDecrypted(answer: JsonObject, ciphertextBytes: number): Buffer {
  const plaintext = bytesOf(answer['plaintext'], ciphertextBytes)
  if (plaintext.length === ciphertextBytes) return plaintext
  plaintext.fill(0)
  throw invalid()
}

function listOf(value: unknown, max: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > max) throw invalid()
  return value
}

function textOf(value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > textMax) throw invalid()
  return value
}

/** Callers see it in messages: a proxy must not draw on their terminals. */
function shownTextOf(value: unknown): string {
  const text = textOf(value)
  if (!/^[\x20-\x7e]+$/.test(text)) throw invalid()
  return text
}

/** Base64 in its one form. */
function bytesOf(value: unknown, max: number): Buffer {
  if (typeof value !== 'string' || value.length > Math.ceil(max / 3) * 4) throw invalid()
  const bytes = Buffer.from(value, 'base64')
  if (bytes.toString('base64') !== value) throw invalid()
  return bytes
}

function invalid(): ProxyFailure {
  return new ProxyFailure('XksProxyInvalidResponse')
}
