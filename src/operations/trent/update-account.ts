/**
 * UpdateAccount — what `trent account update` calls: the organisation of an account, and the policies by
 * which that limits its principals and its resources. What is left out stays; an empty list ends them.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { boolean, required, text } from '../../model/shape.ts'
import {
  givenOrganization,
  organizationMembers,
  organizationNames,
} from './account-organization.ts'
import { insiderOperation } from './insider-operation.ts'
import { shownAccount, type ShownAccount } from './shown-account.ts'

export const updateAccount = insiderOperation<ShownAccount>()({
  name: 'UpdateAccount',
  door: 'operator',
  input: {
    accountId: required(text({ pattern: '^[0-9]{12}$' })),
    ...organizationMembers,
    /** The account leaves its organisation, with all that this limits. */
    leaveOrganization: boolean(),
  },
  permissions: () => [{ action: 'trent:UpdateAccount' }],
  readOnly: false,
  audit: ['accountId', 'leaveOrganization', ...organizationNames],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NotFoundException',
    'MalformedPolicyDocumentException',
  ],
  check(input) {
    const { leaveOrganization = false } = input
    if (!leaveOrganization || organizationNames.every((name) => input[name] === undefined)) return
    const message = 'an account cannot leave its organisation and be given one in the same call'
    throw new KmsError('ValidationException', message)
  },
  run({ input: { accountId, leaveOrganization = false, ...given }, commit }) {
    return commit(async (transaction) => {
      const account = await transaction.findAccount(accountId)
      if (account === undefined) {
        throw new KmsError('NotFoundException', `There is no account ${accountId}`)
      }
      const organization = leaveOrganization
        ? undefined
        : givenOrganization(given, account.organization)
      return shownAccount(await transaction.updateAccount(account, { organization }))
    })
  },
})
