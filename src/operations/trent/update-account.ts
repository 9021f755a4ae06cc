/**
 * UpdateAccount — `trent account update`: changes the organization of an account and the policies that
 * limit its principals and resources. Omitted members stay; an empty list removes the policies.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { boolean, required, text } from '../../model/shape.ts'
import {
  givenOrganization,
  organizationMembers,
  organizationNames,
} from './account-organization.ts'
import { trentOperation } from './trent-operation.ts'
import { shownAccount, type ShownAccount } from './shown-account.ts'

export const updateAccount = trentOperation<ShownAccount>()({
  name: 'UpdateAccount',
  door: 'operator',
  input: {
    accountId: required(text({ pattern: '^[0-9]{12}$' })),
    ...organizationMembers,
    /** The account leaves its organization, and the organization's policies no longer apply. */
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
