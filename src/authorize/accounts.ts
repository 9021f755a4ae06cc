/**
 * Loads the accounts that a call concerns. Their organisations limit the call and are condition keys.
 * @module
 */
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
): Accounts | Promise<Accounts> {
  const accountIds = new Set([callerAccountId])
  for (const { known } of keys.values()) if (known) accountIds.add(known.record.accountId)
  if (assumed?.known !== undefined) accountIds.add(assumed.accountId)
  const accounts = new Map<string, CachedAccount>()
  const waiting: Promise<void>[] = []
  for (const accountId of accountIds) {
    const found = lookup.account(accountId)
    if (found instanceof Promise) {
      waiting.push(keep(accountId, found, accounts))
    } else if (found !== undefined) accounts.set(accountId, found)
  }
  // Usually everything is cached and there is nothing to wait for.
  return waiting.length === 0 ? accounts : Promise.all(waiting).then(() => accounts)
}

export async function keep(
  accountId: string,
  found: Promise<CachedAccount | undefined>,
  accounts: Map<string, CachedAccount>,
): Promise<void> {
  const known = await found
  if (known !== undefined) accounts.set(accountId, known)
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
