/**
 * ImportKeyMaterial — imports wrapped material into a key, for the first time or again.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html
 * @module
 */
import type { ImportKeyMaterialRequest, ImportKeyMaterialResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { importMaterial, type ImportRequest } from '../../lifecycle/imported-materials.ts'
import { isReplica } from '../../model/key.ts'
import { anyState } from '../../model/key-state.ts'
import { blob, oneOf, required, text, timestamp } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { requireImported, requireDistinctMaterials, importStates } from './imported.ts'
import { keyMaterialId, requiredKeyId } from './members.ts'

const validMsMax = 365 * 86_400_000

export const importKeyMaterial = operation<ImportKeyMaterialRequest, ImportKeyMaterialResponse>()({
  name: 'ImportKeyMaterial',
  input: {
    KeyId: requiredKeyId,
    ImportToken: required(blob({ min: 1, max: 6144 })),
    EncryptedKeyMaterial: required(blob({ min: 1, max: 6144 })),
    ValidTo: timestamp(),
    ExpirationModel: oneOf(['KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE']),
    ImportType: oneOf(['NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL']),
    KeyMaterialDescription: text({ min: 0, max: 256, pattern: '^[a-zA-Z0-9:/_\\s.-]+$' }),
    KeyMaterialId: keyMaterialId,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:ImportKeyMaterial',
      crossAccount: false,
      // `run` checks the state, after it has checked the origin.
      states: anyState,
    },
  },
  context: (input) => ({
    'kms:ExpirationModel': modelOf(input),
    'kms:ValidTo': input.ValidTo?.toISOString(),
  }),
  readOnly: false,
  audit: [
    'KeyId',
    'ValidTo',
    'ExpirationModel',
    'ImportType',
    'KeyMaterialDescription',
    'KeyMaterialId',
  ],
  auditDefaults: (input) => ({ expirationModel: modelOf(input) }),
  auditResponse: (output, arns) => ({
    keyId: arns.key,
    ...(output.KeyMaterialId !== undefined && { keyMaterialId: output.KeyMaterialId }),
  }),
  throws: [
    'ValidationException',
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'UnsupportedOperationException',
    'KMSInvalidStateException',
    'InvalidImportTokenException',
    'ExpiredImportTokenException',
    'InvalidCiphertextException',
    'IncorrectKeyMaterialException',
    'ThrottlingException',
  ],
  check(input) {
    const expires = modelOf(input) === 'KEY_MATERIAL_EXPIRES'
    if (expires && input.ValidTo === undefined) {
      throw invalid('A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES')
    }
    if (!expires && input.ValidTo !== undefined) {
      throw invalid(
        'A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE',
      )
    }
    if (input.ImportType === 'NEW_KEY_MATERIAL' && input.KeyMaterialId !== undefined) {
      throw invalid(
        'Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType.',
      )
    }
  },
  async run({ input, keys: { key }, arn, commit, signal, keyStoreOf }, { clock }) {
    const KeyId = arn(key)
    requireImported(key, KeyId, [...importStates, 'Updating'])
    requireDistinctMaterials(key, input, ['ImportType', 'KeyMaterialId', 'KeyMaterialDescription'])
    if (isReplica(key)) checkReplicaImport(input)
    const request: ImportRequest = {
      type: input.ImportType,
      materialId: input.KeyMaterialId,
      description: input.KeyMaterialDescription,
      expirationModel: modelOf(input),
      validTo: input.ValidTo && checkedExpiry(input.ValidTo, clock.now()),
    }
    const { ImportToken, EncryptedKeyMaterial } = input
    const keyStore = keyStoreOf(key)
    const material = await keyStore.importMaterial(key, ImportToken, EncryptedKeyMaterial, signal)
    return commit(async (transaction) => {
      await importMaterial(transaction, key, material, request, KeyId)
      const symmetric = key.spec === 'SYMMETRIC_DEFAULT'
      return { KeyId, ...(symmetric && { KeyMaterialId: material.materialId }) }
    })
  },
})

/**
 * A replica takes no new material and no description: both belong to the primary key.
 * @throws {KmsError} `ValidationException`
 */
function checkReplicaImport({
  ImportType,
  KeyMaterialDescription,
}: ImportKeyMaterialRequest): void {
  if (ImportType === 'NEW_KEY_MATERIAL') {
    throw invalid(
      'Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys',
    )
  }
  if (KeyMaterialDescription !== undefined) {
    throw invalid('Key material description can only be specified on primary Multi-Region keys')
  }
}

function modelOf({
  ExpirationModel,
}: Pick<ImportKeyMaterialRequest, 'ExpirationModel'>): ImportRequest['expirationModel'] {
  return ExpirationModel ?? 'KEY_MATERIAL_EXPIRES'
}

/** Returns the expiry in whole seconds, as AWS keeps it. @throws {KmsError} `ValidationException` */
function checkedExpiry(validTo: Date, now: number): number {
  const seconds = Math.floor(validTo.getTime() / 1000) * 1000
  if (seconds <= now) throw invalid('ValidTo must be in the future')
  if (seconds > now + validMsMax) {
    throw invalid('ValidTo must be less than 365 days in the future')
  }
  return seconds
}

function invalid(message: string): KmsError {
  return new KmsError('ValidationException', message)
}
