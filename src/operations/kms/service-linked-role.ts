/**
 * The service-linked roles of KMS. KMS creates one with the first multi-Region key of an account, and one
 * with its first key store in an HSM cluster.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-auth-slr.html
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/authorize-kms.html
 * @module
 */
import { customKeyStoresService, linkedRole, multiRegionService } from '../iam/linked-services.ts'
import { madeRole } from '../iam/shown-role.ts'
import { globalRegionOf } from '../../model/region.ts'
import { DuplicateRow, type Transaction } from '../../store/store.ts'
import type { RoleRecord } from '../../model/role.ts'
import type { Call } from '../contract/call.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'

const descriptions = {
  [multiRegionService]:
    'Enables access to AWS services and resources required for AWS KMS Multi-Region Keys',
  [customKeyStoresService]:
    'Enables access to AWS services and resources required for AWS KMS custom key stores',
} as const

type LinkedCall = Pick<Call<unknown, never>, 'caller' | 'partition' | 'region' | 'alsoRecords'>

type MadeRole = Omit<RoleRecord, 'rowVersion'>

/** Creates the role if the account has none, and returns it if it was created. */
async function ensureRole(
  service: keyof typeof descriptions,
  transaction: Pick<Transaction, 'findRoleByName' | 'insertRole'>,
  accountId: string,
  { clock, random }: Pick<OperationDependencies, 'clock' | 'random'>,
): Promise<MadeRole | undefined> {
  const description = descriptions[service]
  const role = linkedRole(service, { accountId, description }, { clock, random })
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

/** Creates the role if needed, with an audit record, for a call that makes the service need it. */
export async function withLinkedRole(
  service: keyof typeof descriptions,
  call: LinkedCall,
  transaction: Transaction,
  dependencies: OperationDependencies,
): Promise<void> {
  const { caller, partition, region } = call
  const { accountId } = caller
  const role = await ensureRole(service, transaction, accountId, dependencies)
  if (role === undefined) return
  call.alsoRecords({
    service: 'iam',
    eventName: 'CreateServiceLinkedRole',
    region: globalRegionOf({ partition, region }),
    requestParameters: { aWSServiceName: service },
    responseElements: { role: await madeRole(partition, role, dependencies) },
    keys: [],
  })
}

/** The same for a call that creates a multi-Region key. */
export function withMultiRegionRole(
  call: LinkedCall,
  transaction: Transaction,
  dependencies: OperationDependencies,
): Promise<void> {
  return withLinkedRole(multiRegionService, call, transaction, dependencies)
}
