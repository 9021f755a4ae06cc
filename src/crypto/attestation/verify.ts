/**
 * Verifies an attestation document: its form and age here, its signatures in the slow lane.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_RecipientInfo.html
 * @module
 */
import { createPublicKey, type KeyObject, publicEncrypt } from 'node:crypto'
import type { SlowLane } from '../slow-lane.ts'
import { loadCbor } from './cbor.ts'
import { type AttestationDocument, readDocument } from './document.ts'
import { documentRefused } from './refusal.ts'

/** What a verified document proves. */
export interface Attestation extends Pick<AttestationDocument, 'moduleId' | 'attester' | 'pcrs'> {
  /** RSA. The document attests the holder of its private key. */
  readonly publicKey: KeyObject
}

/** How to judge a document. */
export interface AttestationRules {
  /** Trusted roots, DER each. A chain must begin with exactly these bytes. */
  readonly roots: readonly Uint8Array[]
  /** Milliseconds since the epoch. */
  readonly now: number
  /** The greatest distance of the document's time from `now`, before or after, in milliseconds. */
  readonly maxAgeMs: number
  readonly slowLane: Pick<SlowLane, 'run'>
  readonly signal: AbortSignal
}

/** The same as the time for which AWS accepts a signed request. */
export const attestationAgeMsMax = 5 * 60_000

/**
 * @throws {KmsError} `ValidationException` if the document proves nothing, `ThrottlingException` if
 * too many documents wait to be verified
 */
export async function verifyAttestation(
  bytes: Uint8Array,
  rules: AttestationRules,
): Promise<Attestation> {
  const document = readDocument(bytes, await loadCbor())
  const { timestamp, signed, signature, certificate, cabundle } = document
  // Cheap checks come first: a stale document must not take time in the slow lane.
  if (timestamp < rules.now - rules.maxAgeMs) throw documentRefused('it has expired')
  if (timestamp > rules.now + rules.maxAgeMs) throw documentRefused('it is from the future')
  const { roots, slowLane, signal } = rules
  const proof = { signed, signature, certificate, cabundle, roots, at: timestamp }
  const reason = Buffer.from(await slowLane.run('prove-attestation', proof, signal)).toString()
  if (reason !== '') throw documentRefused(reason)
  const { moduleId, attester, pcrs } = document
  return { moduleId, attester, pcrs, publicKey: recipientKey(document.publicKey) }
}

const modulusBits = { min: 2048, max: 4096 } as const

/** Called only for a verified document. */
function recipientKey(spki: Uint8Array): KeyObject {
  const key = parsed(spki)
  const { modulusLength = 0, publicExponent } = key?.asymmetricKeyDetails ?? {}
  const fits = modulusLength >= modulusBits.min && modulusLength <= modulusBits.max
  // Another exponent is weak, slow or a mistake; all attesters' libraries use this one.
  if (key?.asymmetricKeyType === 'rsa' && fits && publicExponent === 65_537n && encrypts(key)) {
    return key
  }
  throw documentRefused('its public key is not an RSA key of 2048 to 4096 bits')
}

/** OpenSSL accepts an even modulus when it reads the key, and fails only when it encrypts. */
function encrypts(key: KeyObject): boolean {
  try {
    publicEncrypt({ key, oaepHash: 'sha256' }, Buffer.alloc(32))
    return true
  } catch {
    return false
  }
}

function parsed(spki: Uint8Array): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    // OpenSSL ignores bytes after the key.
    return key.export({ format: 'der', type: 'spki' }).equals(spki) ? key : undefined
  } catch {
    return undefined // the caller's message says enough
  }
}
