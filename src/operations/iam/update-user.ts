/**
 * UpdateUser — changes a user's name or path. References to the user stay valid: groups and access keys
 * hold its unique id, key and trust policies recorded that id when they were written, grants get the new
 * name.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html
 * @module
 */
import type { UpdateUserRequest } from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { required } from '../../model/shape.ts'
import { DuplicateRow } from '../../store/store.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkName, checkPath, newUserName, path, userName } from './members.ts'
import { requiredUser } from './required-identity.ts'

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
      try {
        const changed = await transaction.updateUser(known, { name, path: newPath })
        await transaction.renameGrantee(changed)
      } catch (error) {
        if (!(error instanceof DuplicateRow)) throw error
        throw new KmsError('EntityAlreadyExistsException', `User with name ${name} already exists.`)
      }
    })
  },
})
