/**
 * UpdateKeyDescription — changes the description of a key.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateKeyDescription.html
 * @module
 */
import type { UpdateKeyDescriptionRequest } from '@aws-sdk/client-kms'
import { notDyingStates } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { description, requiredKeyId } from './members.ts'

export const updateKeyDescription = operation<UpdateKeyDescriptionRequest, void>()({
  name: 'UpdateKeyDescription',
  input: { KeyId: requiredKeyId, Description: required(description) },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:UpdateKeyDescription',
      crossAccount: false,
      states: notDyingStates,
    },
  },
  readOnly: false,
  audit: ['KeyId', 'Description'],
  throws: [
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'KMSInvalidStateException',
  ],
  async run({ input, keys: { key }, commit }) {
    if (key.description === input.Description) return
    await commit(async (transaction) => {
      await transaction.updateKey(key, { description: input.Description })
    })
  },
})
