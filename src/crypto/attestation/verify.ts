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
  /** RSA: whoever holds the private key is whom the document attests. */
  readonly publicKey: KeyObject
}

/** How a document is judged. */
export interface AttestationRules {
  /** The certificates that a chain may begin with, DER each; a chain begins with the very bytes. */
  readonly roots: readonly Uint8Array[]
  /** Milliseconds since the epoch. */
  readonly now: number
  /** How far the document's time may lie from `now`, either way, in milliseconds. */
  readonly maxAgeMs: number
  readonly slowLane: Pick<SlowLane, 'run'>
  readonly signal: AbortSignal
}

/** As long as AWS lets a request's signature count. */
export const attestationAgeMsMax = 5 * 60_000

/**
 * @throws {KmsError} `ValidationException` when the document proves nothing, `ThrottlingException` when
 *   too many wait to be verified
 */
export async function verifyAttestation(
  bytes: Uint8Array,
  rules: AttestationRules,
): Promise<Attestation> {
  const document = readDocument(bytes, await loadCbor())
  const { timestamp, signed, signature, certificate, cabundle } = document
  // What costs little comes first: nothing that is stale takes the slow lane's time.
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

/** Parsed only when the document is proved. */
function recipientKey(spki: Uint8Array): KeyObject {
  const key = parsed(spki)
  const { modulusLength = 0, publicExponent } = key?.asymmetricKeyDetails ?? {}
  const fits = modulusLength >= modulusBits.min && modulusLength <= modulusBits.max
  // Another exponent is weak, or slow, or a mistake: all attesters' libraries use this one.
  if (key?.asymmetricKeyType === 'rsa' && fits && publicExponent === 65_537n && encrypts(key)) {
    return key
  }
  throw documentRefused('its public key is not an RSA key of 2048 to 4096 bits')
}

/** OpenSSL reads a modulus that is even, and finds only when it encrypts that nothing can be done with it. */
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
    // OpenSSL leaves what stands behind the key unread.
    return key.export({ format: 'der', type: 'spki' }).equals(spki) ? key : undefined
  } catch {
    return undefined // what it is not is all that the caller needs to know
  }
}
