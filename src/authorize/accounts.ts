/**
 * Loads the accounts that a call concerns. Their organisations limit the call and are condition keys.
 * @module
 */
import { andThen, forEach, type Awaitable } from '../model/awaitable.ts'
import type { CompiledPolicy } from '../policy/compile.ts'
import type { Policies } from '../policy/decision.ts'
import type { Organization } from '../model/organization.ts'
import type { CachedAccount, Accounts, Lookup } from '../cache/cached-records.ts'
import type { ResolvedNames } from '../resolve/resolved.ts'

/** The accounts of the caller, of the keys and of the role that the call names. */
export function accountsOf(
  callerAccountId: string,
  { keys, assumed }: Pick<ResolvedNames, 'keys' | 'assumed'>,
  lookup: Pick<Lookup, 'account'>,
): Awaitable<Accounts> {
  const accountIds = new Set([callerAccountId])
  for (const { known } of keys.values()) if (known) accountIds.add(known.record.accountId)
  if (assumed?.known !== undefined) accountIds.add(assumed.accountId)
  const accounts = new Map<string, CachedAccount>()
  const keep = (accountId: string): Awaitable<unknown> =>
    andThen(lookup.account(accountId), (found) => found && accounts.set(accountId, found))
  return andThen(forEach(accountIds, keep), () => accounts)
}

/** Denies, because a policy that cannot be read may hold a Deny. */
export const lost: CompiledPolicy = { broken: 'the account is gone', statements: [] }

/** The limits that the organisations of both accounts set. */
export function organizationLimits(
  accounts: Accounts,
  callerAccountId: string,
  resourceAccountId: string,
): Pick<Policies, 'serviceControl' | 'resourceControl'> {
  const { serviceControl = [[lost]] } = accounts.get(callerAccountId) ?? {}
  const { resourceControl = [lost] } = accounts.get(resourceAccountId) ?? {}
  return {
    ...(serviceControl.length > 0 && { serviceControl }),
    ...(resourceControl.length > 0 && { resourceControl }),
  }
}

/** The organisations of both accounts, as condition keys. */
export function organizationsOf(
  accounts: Accounts,
  callerAccountId: string,
  resourceAccountId: string,
): {
  readonly principalOrganization: Organization | undefined
  readonly resourceOrganization: Organization | undefined
} {
  return {
    principalOrganization: accounts.get(callerAccountId)?.record.organization,
    resourceOrganization: accounts.get(resourceAccountId)?.record.organization,
  }
}
