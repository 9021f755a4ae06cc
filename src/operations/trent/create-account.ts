/**
 * CreateAccount — `trent account create`: creates an account with a root user and its access key. The
 * secret is returned only here.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { text } from '../../model/shape.ts'
import { DuplicateRow } from '../../store/store.ts'
import {
  givenOrganization,
  organizationMembers,
  organizationNames,
} from './account-organization.ts'
import { trentOperation } from './trent-operation.ts'

export interface CreatedAccount {
  readonly accountId: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export const createAccount = trentOperation<CreatedAccount>()({
  name: 'CreateAccount',
  door: 'operator',
  input: { accountId: text({ pattern: '^[0-9]{12}$' }), ...organizationMembers },
  permissions: () => [{ action: 'trent:CreateAccount' }],
  readOnly: false,
  audit: ['accountId', ...organizationNames],
  auditResponse: ({ accountId, accessKeyId }) => ({ accountId, accessKeyId }),
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'MalformedPolicyDocumentException',
    'AlreadyExistsException',
  ],
  async run({ input, commit }, { clock, random, newAccessKey }) {
    const organization = givenOrganization(input, undefined)
    const accountId = input.accountId ?? randomAccountId(random.bytes(8))
    const owner = { accountId, principalKind: 'root', principalId: accountId } as const
    const { record, plaintextSecret: secretAccessKey } = newAccessKey(owner)
    const createdAt = clock.now()
    return commit(async (transaction) => {
      const taken = new KmsError(
        'AlreadyExistsException',
        `The account ${accountId} already exists`,
      )
      if ((await transaction.findAccount(accountId)) !== undefined) throw taken
      try {
        await transaction.insertAccount({
          accountId,
          createdAt,
          ...(organization && { organization }),
        })
      } catch (error) {
        throw error instanceof DuplicateRow ? taken : error
      }
      await transaction.insertAccessKey({ ...record, status: 'Active', createdAt })
      return { accountId, accessKeyId: record.accessKeyId, secretAccessKey }
    })
  },
})

/** Twelve digits; the first is not zero. */
function randomAccountId(bytes: Uint8Array): string {
  const number = Buffer.from(bytes).readBigUInt64BE() % 900_000_000_000n
  return String(number + 100_000_000_000n)
}
