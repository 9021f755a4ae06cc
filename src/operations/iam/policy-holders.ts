/**
 * Counts the identities of an account that have one of AWS's own managed policies. These policies have no row
 * that could hold a count, so the rows of the identities are counted.
 * @module
 */
import { isAwsManaged, awsManagedPolicies } from '../../model/aws-managed-policies.ts'
import type { ManagedPolicyRecord } from '../../model/managed-policy.ts'
import type { StoreReads } from '../../store/store.ts'
import type { Holding, IdentityPage } from '../../store/tables/identity-rows.ts'

type Reads = Pick<StoreReads, 'listGroups' | 'listRoles' | 'listUsers'>

const pageRows = 1000

/** The policy with the numbers of identities of the account that it is attached to and that it bounds. */
export async function countedPolicy(
  policy: ManagedPolicyRecord,
  accountId: string,
  store: Reads,
): Promise<ManagedPolicyRecord> {
  if (!isAwsManaged(policy)) return policy
  const { policyId } = policy
  const attachments = await countHolders(accountId, { policyId, as: 'attached' }, store)
  const boundaries = await countHolders(accountId, { policyId, as: 'boundary' }, store)
  return { ...policy, attachments, boundaries }
}

/** All managed policies of AWS, counted, sorted by name. */
export async function countedAwsPolicies(
  accountId: string,
  store: Reads,
): Promise<readonly ManagedPolicyRecord[]> {
  const counted: ManagedPolicyRecord[] = []
  for (const policy of awsManagedPolicies) {
    counted.push(await countedPolicy(policy, accountId, store))
  }
  return counted
}

async function countHolders(accountId: string, holding: Holding, store: Reads): Promise<number> {
  const lists: readonly ((page: IdentityPage) => Promise<readonly { readonly name: string }[]>)[] =
    [
      (page) => store.listGroups(accountId, page),
      (page) => store.listRoles(accountId, page),
      (page) => store.listUsers(accountId, page),
    ]
  let count = 0
  for (const list of lists) {
    let after: string | undefined
    do {
      const page = { pathPrefix: '/', holding, limit: pageRows, ...(after && { after }) }
      const rows = await list(page)
      count += rows.length
      after = rows.length < pageRows ? undefined : rows.at(-1)?.name
    } while (after !== undefined)
  }
  return count
}
