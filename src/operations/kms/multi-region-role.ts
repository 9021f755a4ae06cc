/**
 * The service-linked role of multi-Region keys: KMS makes it with an account's first one, and it stays while
 * there are any.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-auth-slr.html
 * @module
 */
import { linkedRole, multiRegionService } from '../iam/linked-services.ts'
import { madeRole } from '../iam/shown-role.ts'
import { globalRegionOf } from '../../model/region.ts'
import { DuplicateRow, type Transaction } from '../../store/store.ts'
import type { RoleRecord } from '../../model/role.ts'
import type { Call } from '../contract/call.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'

const description =
  'Enables access to AWS services and resources required for AWS KMS Multi-Region Keys'

type MadeRole = Omit<RoleRecord, 'rowVersion'>

/** Makes the role where the account has none. Answers it when it was made. */
async function ensureMultiRegionRole(
  transaction: Pick<Transaction, 'findRoleByName' | 'insertRole'>,
  accountId: string,
  { clock, random }: Pick<OperationDependencies, 'clock' | 'random'>,
): Promise<MadeRole | undefined> {
  const role = linkedRole(multiRegionService, { accountId, description }, { clock, random })
  if ((await transaction.findRoleByName(accountId, role.name)) !== undefined) return undefined
  try {
    // It counts against no quota: the account did not ask for it.
    await transaction.insertRole(role)
  } catch (error) {
    // The account has a role of its own by this name in another case: its keys work without ours.
    if (error instanceof DuplicateRow) return undefined
    throw error
  }
  return role
}

/** For a call that makes a multi-Region key: makes the role where there is none, and records that. */
export async function withMultiRegionRole(
  call: Pick<Call<unknown, never>, 'caller' | 'partition' | 'region' | 'alsoRecords'>,
  transaction: Transaction,
  dependencies: OperationDependencies,
): Promise<void> {
  const { caller, partition, region } = call
  const { accountId } = caller
  const role = await ensureMultiRegionRole(transaction, accountId, dependencies)
  if (role === undefined) return
  call.alsoRecords({
    service: 'iam',
    eventName: 'CreateServiceLinkedRole',
    region: globalRegionOf({ partition, region }),
    requestParameters: { aWSServiceName: multiRegionService },
    responseElements: { role: await madeRole(partition, role, dependencies) },
    keys: [],
  })
}
