/**
 * CreateAccessKey — creates an access key for a user. Only this answer holds its secret.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
 * @module
 */
import type { CreateAccessKeyRequest, CreateAccessKeyResponse } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, userName } from './members.ts'
import { ownerOfKeys } from './access-key-owner.ts'

export const accessKeysMax = 2

export const createAccessKey = iamOperation<CreateAccessKeyRequest, CreateAccessKeyResponse>()({
  name: 'CreateAccessKey',
  input: { UserName: userName },
  user: { from: 'UserName', action: 'iam:CreateAccessKey', absent: 'caller' },
  readOnly: false,
  audit: ['UserName'],
  auditResponse({ AccessKey }) {
    const { UserName: name, AccessKeyId, Status: status, CreateDate } = AccessKey ?? {}
    return {
      accessKey: { userName: name, accessKeyId: AccessKeyId, status, createDate: CreateDate },
    }
  },
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'InvalidInputException',
    'LimitExceededException',
  ],
  check: ({ UserName }) => checkName('userName', UserName),
  async run({ user, commit }, { clock, newAccessKey }) {
    const owner = ownerOfKeys(user)
    const { accountId, userId: principalId } = owner
    const { record, plaintextSecret } = newAccessKey({
      accountId,
      principalKind: 'user',
      principalId,
    })
    const createdAt = clock.now()
    return commit(async (transaction) => {
      await transaction.confirmUser(owner)
      const present = await transaction.listAccessKeysOf(principalId)
      if (present.length >= accessKeysMax) {
        const message = `Cannot exceed quota for AccessKeysPerUser: ${accessKeysMax}`
        throw new KmsError('LimitExceededException', message)
      }
      await transaction.insertAccessKey({ ...record, status: 'Active', createdAt })
      return {
        AccessKey: {
          UserName: owner.name,
          AccessKeyId: record.accessKeyId,
          Status: 'Active' as const,
          SecretAccessKey: plaintextSecret,
          CreateDate: new Date(createdAt),
        },
      }
    })
  },
})
