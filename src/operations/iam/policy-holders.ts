/** Who has one of AWS's own managed policies: nothing counts them but those who have it. @module */
import { isAwsManaged, awsManagedPolicies } from '../../model/aws-managed-policies.ts'
import type { ManagedPolicyRecord } from '../../model/managed-policy.ts'
import type { Holding, IdentityPage, StoreReads } from '../../store/store.ts'

type Reads = Pick<StoreReads, 'listGroups' | 'listRoles' | 'listUsers'>

const pageRows = 1000

/** The policy as the account sees it, with the number of those in it who have it. */
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

/** All of AWS's own, counted, by name. */
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
