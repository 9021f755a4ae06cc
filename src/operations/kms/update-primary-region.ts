/**
 * UpdatePrimaryRegion — makes a replica the primary key, and the primary key a replica.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdatePrimaryRegion.html
 * @module
 */
import type { UpdatePrimaryRegionRequest } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { replicasOf, synchronized } from '../../lifecycle/related-keys.ts'
import { isPrimary, type KeyRecord } from '../../model/key.ts'
import { usableStates } from '../../model/key-state.ts'
import { required } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { regionName, requiredKeyId } from './members.ts'

const use = {
  from: 'KeyId',
  forms: 'key',
  action: 'kms:UpdatePrimaryRegion',
  crossAccount: false,
  states: usableStates,
} as const

export const updatePrimaryRegion = operation<UpdatePrimaryRegionRequest, void>()({
  name: 'UpdatePrimaryRegion',
  input: { KeyId: requiredKeyId, PrimaryRegion: required(regionName) },
  keys: { key: use, next: { ...use, region: 'PrimaryRegion' } },
  context: (input) => ({ 'kms:PrimaryRegion': input.PrimaryRegion }),
  readOnly: false,
  audit: ['KeyId', 'PrimaryRegion'],
  auditResponse: (_output, arns) => ({ keyId: arns.key }),
  throws: [
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'DisabledException',
    'KMSInvalidStateException',
    'ValidationException',
  ],
  async run({ input, keys, arn, alsoRecords, commit }, { clock }) {
    const { key } = keys
    const { PrimaryRegion: primaryRegion } = input
    if (!isPrimary(key)) {
      const message = `${arn(key)} is not a multi-Region primary key.`
      throw new KmsError('KMSInvalidStateException', message)
    }
    if (primaryRegion === key.region) return
    const next: KeyRecord | undefined = keys.next
    if (next === undefined) {
      throw new KmsError(
        'ValidationException',
        `${key.keyId} does not have a replica key in the specified Region.`,
      )
    }
    const transitionStartedAt = clock.now()
    const updating = { primaryRegion, state: 'Updating', transitionStartedAt } as const
    await commit(async (transaction) => {
      const replicas = await replicasOf(transaction, key)
      const others = replicas.filter(({ region }) => region !== primaryRegion)
      for (const each of [key, next]) await transaction.updateKey(each, updating)
      for (const each of others) await transaction.updateKey(each, { primaryRegion })
      alsoRecords({
        eventName: 'UpdatePrimaryRegion',
        region: primaryRegion,
        requestParameters: { keyId: arn(next), primaryRegion },
        responseElements: { keyId: arn(next) },
        keys: [next],
      })
      if (others.length > 0) alsoRecords(synchronized(next))
    })
  },
})
