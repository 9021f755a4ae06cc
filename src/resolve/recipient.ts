/**
 * Step 4, for calls with a `Recipient`: the attestation document becomes an attested recipient. What it
 * attests are condition keys of the call, and the answer is sealed for it alone.
 *
 * INVARIANT (no plaintext beside it): the pipeline seals the answer of every operation that declares what
 * is to be sealed. An operation knows nothing of recipients and can forget none.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/conditions-attestation.html
 * @module
 */
import { sealForRecipient } from '../crypto/attestation/seal.ts'
import {
  type Attestation,
  attestationAgeMsMax,
  verifyAttestation,
} from '../crypto/attestation/verify.ts'
import type { SlowLane } from '../crypto/slow-lane.ts'
import { KmsError } from '../errors.ts'
import type { Clock } from '../model/clock.ts'
import type { Operation } from '../operations/contract/operation.ts'

/** Whom a verified attestation document speaks for. */
export interface Recipient {
  /** By condition key. */
  readonly conditions: Readonly<Record<string, string>>
  /** `additionalEventData.recipient` of the audit record. */
  readonly audited: Readonly<Record<string, string>>
  /** CMS EnvelopedData that the recipient alone opens. */
  readonly seal: (plaintext: Uint8Array) => Buffer
}

type Given = Readonly<Record<string, unknown>>

/**
 * The recipient of a call; undefined when it names none.
 * @throws {KmsError} `ValidationException` when the document proves nothing
 */
export type ResolveRecipient = (
  operation: Operation,
  input: Given,
  signal: AbortSignal,
) => Promise<Recipient | undefined>

/** @param ports.roots the certificates that documents may lead to, DER each */
export function createRecipients(ports: {
  readonly roots: readonly Uint8Array[]
  readonly clock: Pick<Clock, 'system'>
  readonly slowLane: Pick<SlowLane, 'run'>
}): ResolveRecipient {
  const { roots, clock, slowLane } = ports
  return async (operation, input, signal) => {
    if (operation.recipient === undefined || input['Recipient'] === undefined) return undefined
    // The operation's shape has read it; both members are optional there, as in AWS's model.
    const { KeyEncryptionAlgorithm: algorithm, AttestationDocument: document } = input[
      'Recipient'
    ] as { readonly KeyEncryptionAlgorithm?: string; readonly AttestationDocument?: Uint8Array }
    if (algorithm === undefined || document === undefined) {
      const message = '`Recipient` needs a `KeyEncryptionAlgorithm` and an `AttestationDocument`'
      throw new KmsError('ValidationException', message)
    }
    // The system's time: attesters have no other, and no test may keep an old document alive.
    const now = clock.system()
    const rules = { roots, now, maxAgeMs: attestationAgeMsMax, slowLane, signal }
    return recipientOf(await verifyAttestation(document, rules))
  }
}

function recipientOf({ moduleId, attester, pcrs, publicKey }: Attestation): Recipient {
  const prefix = `kms:RecipientAttestation:${attester === 'enclave' ? '' : 'NitroTPM'}PCR`
  const conditions = new Map([...pcrs].map(([index, value]) => [`${prefix}${index}`, value]))
  const image = attester === 'enclave' ? pcrs.get(0) : undefined
  if (image !== undefined) conditions.set('kms:RecipientAttestation:ImageSha384', image)
  return {
    conditions: Object.fromEntries(conditions),
    audited: {
      attestationDocumentModuleId: moduleId,
      ...(attester === 'enclave' ? auditedRegisters(pcrs) : {}),
    },
    seal: (plaintext) => sealForRecipient(publicKey, plaintext),
  }
}

/** Those that AWS records: boot, application, role, instance, signing certificate. */
const recordedRegisters: readonly number[] = [1, 2, 3, 4, 8]

function auditedRegisters(pcrs: Attestation['pcrs']): Readonly<Record<string, string>> {
  const image = pcrs.get(0)
  const recorded = recordedRegisters.flatMap((index) => {
    const value = pcrs.get(index)
    return value === undefined ? [] : [[`attestationDocumentEnclavePCR${index}`, value]]
  })
  return {
    ...(image !== undefined && { attestationDocumentEnclaveImageDigest: image }),
    ...Object.fromEntries(recorded),
  }
}

/**
 * The answer with `CiphertextForRecipient` in the place of its plaintext, which is overwritten.
 * @param member the name of the member that holds the plaintext
 */
export function sealAnswer(output: unknown, member: string, recipient: Recipient): unknown {
  const { [member]: plaintext, ...rest } = output as Given // what operations answer are objects
  if (!(plaintext instanceof Uint8Array)) throw new TypeError(`no ${member} to seal`)
  try {
    return { ...rest, CiphertextForRecipient: recipient.seal(plaintext) }
  } finally {
    plaintext.fill(0)
  }
}
