/**
 * UpdateUser — changes a user's name or path. References to the user stay valid: groups and access keys
 * hold its unique id, key and trust policies recorded that id when they were written, grants get the new
 * name.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html
 * @module
 */
import type { UpdateUserRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, checkPath, newUserName, path, userName } from './members.ts'
import { requiredUser } from './required-identity.ts'
import { refuseTaken } from './taken-name.ts'

export const updateUser = iamOperation<UpdateUserRequest, void>()({
  name: 'UpdateUser',
  input: { UserName: required(userName), NewPath: path, NewUserName: newUserName },
  user: {
    from: 'UserName',
    action: 'iam:UpdateUser',
    becomes: { name: 'NewUserName', path: 'NewPath' },
  },
  readOnly: false,
  audit: ['UserName', 'NewPath', 'NewUserName'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'EntityAlreadyExistsException',
  ],
  check({ UserName, NewUserName, NewPath }) {
    checkName('userName', UserName)
    checkName('newUserName', NewUserName)
    checkPath(NewPath)
  },
  async run({ input, user, commit }) {
    const known = requiredUser(user)
    const { NewUserName: name = known.name, NewPath: newPath = known.path } = input
    await commit(async (transaction) => {
      const message = `User with name ${name} already exists.`
      const changed = await refuseTaken(
        transaction.updateUser(known, { name, path: newPath }),
        message,
      )
      await transaction.renameGrantee(changed)
    })
  },
})
