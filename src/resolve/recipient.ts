/**
 * Step 4 for calls with a `Recipient`: verifies the attestation document. Its claims are condition keys
 * of the call, and the answer is encrypted for that recipient alone.
 *
 * INVARIANT (no plaintext in addition): the pipeline encrypts the answer of every operation that
 * declares a member for it. Operations do not handle recipients, so none can forget them.
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
import type { Awaitable } from '../model/awaitable.ts'
import type { Clock } from '../model/clock.ts'
import type { Operation } from '../operations/contract/operation.ts'

/** The recipient of a verified attestation document. */
export interface Recipient {
  /** By condition key. */
  readonly conditions: Readonly<Record<string, string>>
  /** `additionalEventData.recipient` of the audit record. */
  readonly audited: Readonly<Record<string, string>>
  /** CMS EnvelopedData that only the recipient can open. */
  readonly seal: (plaintext: Uint8Array) => Buffer
}

type Given = Readonly<Record<string, unknown>>

/**
 * The recipient of a call; undefined when it names none.
 * @throws {KmsError} `ValidationException` when the document is not valid
 */
export type ResolveRecipient = (
  operation: Operation,
  input: Given,
  signal: AbortSignal,
) => Awaitable<Recipient | undefined>

/** @param dependencies.roots root certificates for documents, DER each */
export function createRecipients(dependencies: {
  readonly roots: readonly Uint8Array[]
  readonly clock: Pick<Clock, 'system'>
  readonly slowLane: Pick<SlowLane, 'run'>
}): ResolveRecipient {
  const { roots, clock, slowLane } = dependencies
  return (operation, input, signal) => {
    if (operation.recipient === undefined || input['Recipient'] === undefined) return undefined
    // The operation's shape has checked it. Both members are optional there, as in AWS's model.
    const { KeyEncryptionAlgorithm: algorithm, AttestationDocument: document } = input[
      'Recipient'
    ] as { readonly KeyEncryptionAlgorithm?: string; readonly AttestationDocument?: Uint8Array }
    if (algorithm === undefined || document === undefined) {
      const message = '`Recipient` needs a `KeyEncryptionAlgorithm` and an `AttestationDocument`'
      throw new KmsError('ValidationException', message)
    }
    // The system's time: attesters use it, and a test's clock must not keep an old document valid.
    const now = clock.system()
    const rules = { roots, now, maxAgeMs: attestationAgeMsMax, slowLane, signal }
    return verifyAttestation(document, rules).then(recipientOf)
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

/** The registers that AWS records: boot, application, role, instance, signing certificate. */
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
 * The answer with `CiphertextForRecipient` instead of its plaintext, which is overwritten.
 * @param member the member that holds the plaintext
 */
export function sealAnswer(output: unknown, member: string, recipient: Recipient): unknown {
  const { [member]: plaintext, ...rest } = output as Given // operations return objects
  if (!(plaintext instanceof Uint8Array)) throw new TypeError(`no ${member} to seal`)
  try {
    return { ...rest, CiphertextForRecipient: recipient.seal(plaintext) }
  } finally {
    plaintext.fill(0)
  }
}
