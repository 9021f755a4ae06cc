/**
 * ListKeyRotations — lists the rotations of a key in order, or all of its materials.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html
 * @module
 */
import type {
  ListKeyRotationsRequest,
  ListKeyRotationsResponse,
  RotationsListEntry,
} from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import type { NewMaterialState } from '../../model/key-material.ts'
import { anyState } from '../../model/key-state.ts'
import { integer, oneOf } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { marker, requiredKeyId } from './members.ts'
import { readPage } from '../contract/page.ts'

export const listKeyRotations = operation<ListKeyRotationsRequest, ListKeyRotationsResponse>()({
  name: 'ListKeyRotations',
  input: {
    KeyId: requiredKeyId,
    IncludeKeyMaterial: oneOf(['ALL_KEY_MATERIAL', 'ROTATIONS_ONLY']),
    Limit: integer({ min: 1, max: 1000 }),
    Marker: marker,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:ListKeyRotations',
      crossAccount: false,
      states: anyState,
    },
  },
  readOnly: true,
  audit: ['KeyId', 'IncludeKeyMaterial', 'Limit', 'Marker'],
  throws: [
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'ValidationException',
    'InvalidMarkerException',
  ],
  async run({ input, keys: { key }, arn }, { store, pages }) {
    const all = input.IncludeKeyMaterial === 'ALL_KEY_MATERIAL'
    const symmetric = key.spec === 'SYMMETRIC_DEFAULT'
    if (all && !symmetric) {
      throw new KmsError(
        'ValidationException',
        'Input parameter includeKeyMaterial can only be used with symmetric keys.',
      )
    }
    const { rows, paging } = await readPage(pages, {
      scope: ['ListKeyRotations', key.accountId, key.region, key.keyId, String(all)],
      marker: input.Marker,
      limit: input.Limit ?? 100,
      read: async (page) =>
        symmetric ? store.listMaterialStates(key, { ...page, onlyRotations: !all }) : [],
      nameOf: ({ ordinal }) => String(ordinal),
    })
    return { Rotations: rows.map((row) => entryOf(row, arn(key))), ...paging }
  },
})

/** Builds an entry with exactly the members that AWS sends. */
function entryOf(material: NewMaterialState, arn: string): RotationsListEntry {
  const { importState, description, rotationType, rotatedAt } = material
  const { expiredAt, validTo = expiredAt } = material
  // AWS keeps showing the expiration model of expired material.
  const expired = expiredAt !== undefined
  const expirationModel = expired ? 'KEY_MATERIAL_EXPIRES' : material.expirationModel
  return {
    KeyId: arn,
    KeyMaterialId: material.materialId,
    ...(description !== undefined && { KeyMaterialDescription: description }),
    ...(importState !== undefined && { ImportState: expired ? 'IMPORTED' : importState }),
    KeyMaterialState: material.state,
    ...(expirationModel !== undefined && { ExpirationModel: expirationModel }),
    ...(validTo !== undefined && { ValidTo: new Date(validTo) }),
    ...(rotatedAt !== undefined && { RotationDate: new Date(rotatedAt) }),
    ...(rotationType !== undefined && { RotationType: rotationType }),
  }
}
