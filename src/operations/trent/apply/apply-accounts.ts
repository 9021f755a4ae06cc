/**
 * Applies a document in the order of its references: managed policies before identities, identities before
 * the policies that name them as principals, and pruning last.
 * @module
 */
import { applyAccount } from './accounts.ts'
import type { Applying } from './applying.ts'
import type { AccountEntry, ApplyDocument } from './document.ts'
import { applyGroup, applyUser } from './identities.ts'
import { applyKey } from './keys.ts'
import { applyManagedPolicy } from './managed-policies.ts'
import type { DocumentPath } from './document-path.ts'
import { applyProvider } from './providers.ts'
import { pruneIdentities, pruneKeys, pruneProviders } from './prune.ts'
import { applyRole, makeRoles } from './roles.ts'

export async function applyAccounts(
  { accounts }: ApplyDocument,
  applying: Applying,
): Promise<void> {
  const each = async (
    work: (entry: AccountEntry, place: DocumentPath) => Promise<void>,
  ): Promise<void> => {
    for (const [index, entry] of accounts.entries()) {
      await work(entry, ['accounts', index])
    }
  }
  const freshRoles = new Map<AccountEntry, ReadonlySet<string>>()
  await each((entry, place) => applyAccount(applying, entry, place))
  await each(async (entry, place) => {
    const { accountId, policies, groups, users, roles = [], oidcProviders } = entry
    await inOrder(policies, [...place, 'policies'], (policy, at) =>
      applyManagedPolicy(applying, accountId, policy, at),
    )
    await inOrder(groups, [...place, 'groups'], (group, at) =>
      applyGroup(applying, accountId, group, at),
    )
    await inOrder(users, [...place, 'users'], (user, at) =>
      applyUser(applying, accountId, user, at),
    )
    freshRoles.set(entry, await makeRoles(applying, accountId, roles, [...place, 'roles']))
    await inOrder(oidcProviders, [...place, 'oidcProviders'], (provider, at) =>
      applyProvider(applying, accountId, provider, at),
    )
  })
  await each(async (entry, place) => {
    const { accountId, roles, keys } = entry
    await inOrder(roles, [...place, 'roles'], (role, at) => {
      const isNew = freshRoles.get(entry)?.has(role.name) === true
      return applyRole(applying, accountId, role, { place: at, isNew })
    })
    await inOrder(keys, [...place, 'keys'], (key, at) => applyKey(applying, accountId, key, at))
  })
  if (!applying.prune) return
  await each(async (entry, place) => {
    await pruneKeys(applying, entry)
    await pruneIdentities(applying, entry, place)
    await pruneProviders(applying, entry)
  })
}

async function inOrder<T>(
  entries: readonly T[] = [],
  place: DocumentPath,
  work: (entry: T, place: DocumentPath) => Promise<void>,
): Promise<void> {
  for (const [index, entry] of entries.entries()) {
    await work(entry, [...place, index])
  }
}
