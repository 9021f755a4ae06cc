/** Which principals there are: what key policies and grants name must exist when they are written. @module */
import { parseArn } from '../model/arn.ts'
import { readUserResource } from '../model/user.ts'
import type { Store } from '../store/store.ts'

/**
 * The unique id of a principal: the account id for an account, asked as its root ARN, `AIDA…` for a user.
 * Undefined when there is none such.
 */
export type FindPrincipal = (arn: string) => Promise<string | undefined>

/** The accounts and users of this deployment are the principals that there are. */
export function createFindPrincipal(
  store: Pick<Store, 'findAccount' | 'findUserByName'>,
): FindPrincipal {
  return async (arn) => {
    const parsed = parseArn(arn)
    if (parsed?.service !== 'iam' || parsed.region !== '') return undefined
    const { accountId, resource } = parsed
    if (resource === 'root') return (await store.findAccount(accountId))?.accountId
    const named = readUserResource(resource)
    if (named === undefined) return undefined
    const user = await store.findUserByName(accountId, named.name)
    return user?.path === named.path ? user.userId : undefined
  }
}
