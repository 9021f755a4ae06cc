/**
 * DeleteImportedKeyMaterial — deletes material of a key at once; you can import the same material again.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteImportedKeyMaterial.html
 * @module
 */
import type {
  DeleteImportedKeyMaterialRequest,
  DeleteImportedKeyMaterialResponse,
} from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { takeMaterialAway } from '../../lifecycle/imported-materials.ts'
import type { KeyState } from '../../model/key.ts'
import { isNeeded } from '../../model/key-material.ts'
import { anyState } from '../../model/key-state.ts'
import { operation } from '../contract/operation.ts'
import { requireImported, requireDistinctMaterials } from './imported.ts'
import { keyMaterialId, requiredKeyId } from './members.ts'

/** A key that is pending deletion may lose its material, and stays pending deletion. */
const deletableStates: readonly KeyState[] = anyState.filter(
  (state) => state !== 'Creating' && state !== 'Updating',
)

export const deleteImportedKeyMaterial = operation<
  DeleteImportedKeyMaterialRequest,
  DeleteImportedKeyMaterialResponse
>()({
  name: 'DeleteImportedKeyMaterial',
  input: { KeyId: requiredKeyId, KeyMaterialId: keyMaterialId },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:DeleteImportedKeyMaterial',
      crossAccount: false,
      // `run` checks the state, after it has checked the origin.
      states: anyState,
    },
  },
  readOnly: false,
  audit: ['KeyId', 'KeyMaterialId'],
  auditResponse: (output, arns) => ({
    keyId: arns.key,
    ...(output.KeyMaterialId !== undefined && { keyMaterialId: output.KeyMaterialId }),
  }),
  throws: [
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'UnsupportedOperationException',
    'KMSInvalidStateException',
    'ValidationException',
  ],
  async run({ input, keys: { key }, arn, commit }, { store }) {
    const KeyId = arn(key)
    requireImported(key, KeyId, deletableStates)
    requireDistinctMaterials(key, input, ['KeyMaterialId'])
    const { KeyMaterialId: materialId = key.currentMaterialId } = input
    // Nothing was ever imported.
    if (materialId === undefined) return { KeyId }
    const { accountId, region, keyId } = key
    const ref = { accountId, region, keyId, materialId }
    const known = await store.findMaterialState(ref)
    if (known === undefined) {
      throw new KmsError(
        'ValidationException',
        `Key material (id: ${materialId}) has never been imported into KMS key ${KeyId}.`,
      )
    }
    const symmetric = key.spec === 'SYMMETRIC_DEFAULT'
    const output = { KeyId, ...(symmetric && { KeyMaterialId: materialId }) }
    if (isNeeded(known) && known.importState === 'PENDING_IMPORT') return output
    return commit(async (transaction) => {
      await takeMaterialAway(transaction, key, known)
      return output
    })
  },
})
