/**
 * GetUser — returns a user, or the caller where no name is given.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
 * @module
 */
import type { GetUserRequest, GetUserResponse } from '@aws-sdk/client-iam'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, userName } from './members.ts'
import { shownUser } from './shown-user.ts'

export const getUser = iamOperation<GetUserRequest, GetUserResponse>()({
  name: 'GetUser',
  input: { UserName: userName },
  user: { from: 'UserName', action: 'iam:GetUser', absent: 'caller' },
  readOnly: true,
  audit: ['UserName'],
  throws: ['ValidationException', 'AccessDeniedException', 'NoSuchEntityException'],
  check: ({ UserName }) => checkName('userName', UserName),
  async run({ user, caller, partition }, { store }) {
    if (user !== undefined) return { User: await shownUser(partition, user, store) }
    // The root user of the account: AWS returns it without a name.
    const { accountId, arn: Arn } = caller
    const account = await store.findAccount(accountId)
    const CreateDate = new Date(account?.createdAt ?? 0)
    return { User: { Path: undefined, UserName: undefined, UserId: accountId, Arn, CreateDate } }
  },
})
