/**
 * The service-linked role of multi-Region keys. KMS creates it with the first multi-Region key of an
 * account; it stays while the account has any.
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

/** Creates the role if the account has none, and returns it if it was created. */
async function ensureMultiRegionRole(
  transaction: Pick<Transaction, 'findRoleByName' | 'insertRole'>,
  accountId: string,
  { clock, random }: Pick<OperationDependencies, 'clock' | 'random'>,
): Promise<MadeRole | undefined> {
  const role = linkedRole(multiRegionService, { accountId, description }, { clock, random })
  if ((await transaction.findRoleByName(accountId, role.name)) !== undefined) return undefined
  try {
    // It is not counted against a quota: the account did not request it.
    await transaction.insertRole(role)
  } catch (error) {
    // The account has its own role with this name in another case. Keys work without the linked role.
    if (error instanceof DuplicateRow) return undefined
    throw error
  }
  return role
}

/** Creates the role if needed, with an audit record, for a call that creates a multi-Region key. */
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
