/**
 * CreateUser — creates a user in the caller's account.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
 * @module
 */
import type { CreateUserRequest, CreateUserResponse } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { identifierOf, uniqueIdCharacters } from '../../model/identity.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkBoundaryArn, requestBoundary, takeBoundary } from './permissions-boundaries.ts'
import { checkName, checkPath, checkTags, newUserName, path, policyArn, tags } from './members.ts'
import { requestTags, shownUser } from './shown-user.ts'
import { refuseTaken } from './taken-name.ts'

export const usersMax = 5000

export const createUser = iamOperation<CreateUserRequest, CreateUserResponse>()({
  name: 'CreateUser',
  input: {
    Path: path,
    UserName: required(newUserName),
    PermissionsBoundary: policyArn,
    Tags: tags,
  },
  user: { from: 'UserName', action: 'iam:CreateUser', absent: 'made' },
  permissions: ({ Path = '/', UserName, Tags = [] }) =>
    Tags.length === 0 ? [] : [{ action: 'iam:TagUser', iamResource: `user${Path}${UserName}` }],
  context: ({ Tags, PermissionsBoundary }) => ({
    ...requestTags(Tags),
    ...requestBoundary(PermissionsBoundary),
  }),
  readOnly: false,
  audit: ['Path', 'UserName', 'PermissionsBoundary', 'Tags'],
  auditResponse: ({ User }) => ({ user: User }),
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'EntityAlreadyExistsException',
    'LimitExceededException',
  ],
  check({ UserName, Path, Tags, PermissionsBoundary }) {
    checkName('userName', UserName)
    checkPath(Path)
    checkTags(Tags)
    checkBoundaryArn(PermissionsBoundary)
  },
  async run(call, { clock, random }) {
    const { input, partition } = call
    const { accountId } = call.caller
    const { UserName: name, Path = '/', Tags = [], PermissionsBoundary: boundary } = input
    const user = {
      userId: identifierOf('AIDA', random.bytes(uniqueIdCharacters)),
      accountId,
      name,
      path: Path,
      inlinePolicies: {},
      attachedPolicies: [],
      groups: [],
      tags: Tags,
      createdAt: clock.now(),
    }
    return call.commit(async (transaction) => {
      if ((await transaction.countUsers(accountId)) >= usersMax) {
        throw new KmsError(
          'LimitExceededException',
          `Cannot exceed quota for UsersPerAccount: ${usersMax}`,
        )
      }
      const made =
        boundary === undefined
          ? user
          : { ...user, permissionsBoundary: await takeBoundary(boundary, call, transaction) }
      const message = `User with name ${name} already exists.`
      await refuseTaken(transaction.insertUser(made), message)
      return { User: await shownUser(partition, made, transaction) }
    })
  },
})
