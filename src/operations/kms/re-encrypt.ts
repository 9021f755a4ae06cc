/**
 * ReEncrypt — decrypts a ciphertext and encrypts it under another key or context, without returning the
 * plaintext.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html
 * @module
 */
import type { ReEncryptRequest, ReEncryptResponse } from '@aws-sdk/client-kms'
import { andFinally, andThen } from '../../model/awaitable.ts'
import type { KeyRef } from '../../model/key.ts'
import { usableStates } from '../../model/key-state.ts'
import { operation } from '../contract/operation.ts'
import { encryptionContextEntries } from './context-entries.ts'
import {
  defaultAlgorithm,
  open,
  requireOpening,
  requireSealing,
  seal,
  sideOf,
} from './encryption.ts'
import { checkGivenCiphertext, ciphertextOf } from './given-ciphertext.ts'
import {
  ciphertext,
  dryRun,
  dryRunModifiers,
  encryptionAlgorithm,
  encryptionContext,
  grantTokens,
  keyId,
  requiredKeyId,
} from './members.ts'
import type { ContextEntries } from '../contract/call.ts'

export const reEncrypt = operation<ReEncryptRequest, ReEncryptResponse>()({
  name: 'ReEncrypt',
  input: {
    // Optional only for a dry run without a ciphertext.
    CiphertextBlob: ciphertext,
    SourceEncryptionContext: encryptionContext,
    SourceKeyId: keyId,
    DestinationKeyId: requiredKeyId,
    DestinationEncryptionContext: encryptionContext,
    SourceEncryptionAlgorithm: encryptionAlgorithm,
    DestinationEncryptionAlgorithm: encryptionAlgorithm,
    GrantTokens: grantTokens,
    DryRun: dryRun,
    DryRunModifiers: dryRunModifiers,
  },
  keys: {
    source: {
      from: 'SourceKeyId',
      forms: 'any',
      ciphertext: 'CiphertextBlob',
      encryptionContext: 'SourceEncryptionContext',
      action: 'kms:ReEncryptFrom',
      usedFor: 'ReEncryptFrom',
      crossAccount: true,
      usage: 'ENCRYPT_DECRYPT',
      states: usableStates,
    },
    destination: {
      from: 'DestinationKeyId',
      forms: 'any',
      encryptionContext: 'DestinationEncryptionContext',
      action: 'kms:ReEncryptTo',
      usedFor: 'ReEncryptTo',
      crossAccount: true,
      usage: 'ENCRYPT_DECRYPT',
      states: usableStates,
    },
  },
  // Each key's policy sees the context and the algorithm of its own side.
  context: (input, use, { source, destination }) => ({
    ...(use === 'source'
      ? side(input.SourceEncryptionAlgorithm, input.SourceEncryptionContext)
      : side(input.DestinationEncryptionAlgorithm, input.DestinationEncryptionContext)),
    'kms:ReEncryptOnSameKey':
      source && destination ? String(isSameKey(source, destination)) : undefined,
  }),
  tracksUsage: 'ReEncrypt',
  readOnly: true,
  audit: [
    'SourceEncryptionContext',
    'SourceKeyId',
    'SourceEncryptionAlgorithm',
    'DestinationKeyId',
    'DestinationEncryptionAlgorithm',
    'DestinationEncryptionContext',
    'DryRun',
    'DryRunModifiers',
  ],
  auditDefaults: () => ({
    sourceEncryptionAlgorithm: defaultAlgorithm,
    destinationEncryptionAlgorithm: defaultAlgorithm,
  }),
  throws: [
    'ValidationException',
    'InvalidGrantTokenException',
    'NotFoundException',
    'AccessDeniedException',
    'IncorrectKeyException',
    'InvalidKeyUsageException',
    'DisabledException',
    'KMSInvalidStateException',
    'KeyUnavailableException',
    'InvalidCiphertextException',
    'DryRunOperationException',
  ],
  check(input) {
    checkGivenCiphertext(input, {
      member: 'SourceKeyId',
      keyId: input.SourceKeyId,
      algorithm: input.SourceEncryptionAlgorithm,
    })
  },
  run({ input, keys: { source, destination }, arn, signal, usesMaterials, keyStoreOf }) {
    const from = sideOf(source, input.SourceEncryptionAlgorithm, input.SourceEncryptionContext)
    const to = sideOf(
      destination,
      input.DestinationEncryptionAlgorithm,
      input.DestinationEncryptionContext,
    )
    const ciphertextBlob = ciphertextOf(input)
    requireOpening(from, ciphertextBlob)
    requireSealing(to)
    if (ciphertextBlob === undefined) return {} // a dry run without a ciphertext ends here
    return andThen(open(keyStoreOf(source), from, ciphertextBlob, signal), (opened) => {
      const { plaintext } = opened
      const sealing = andFinally(
        () => seal(keyStoreOf(destination), to, plaintext, signal),
        () => plaintext.fill(0),
      )
      return andThen(sealing, (sealed) => {
        usesMaterials({
          sourceKeyMaterialId: opened.materialId,
          destinationKeyMaterialId: sealed.materialId,
        })
        return {
          CiphertextBlob: sealed.ciphertext,
          SourceKeyId: arn(source),
          KeyId: arn(destination),
          SourceEncryptionAlgorithm: from.algorithm,
          DestinationEncryptionAlgorithm: to.algorithm,
          ...(opened.materialId !== undefined && { SourceKeyMaterialId: opened.materialId }),
          ...(sealed.materialId !== undefined && { DestinationKeyMaterialId: sealed.materialId }),
        }
      })
    })
  },
})

function side(
  algorithm: string | undefined,
  context: Readonly<Record<string, string>> | undefined,
): ContextEntries {
  return {
    'kms:EncryptionAlgorithm': algorithm ?? defaultAlgorithm,
    ...encryptionContextEntries(context),
  }
}

function isSameKey(one: KeyRef, other: KeyRef): boolean {
  return (
    one.accountId === other.accountId && one.region === other.region && one.keyId === other.keyId
  )
}
