/**
 * Deletes what an account has and the document omits, except service-linked roles, the root user and AWS's
 * own resources. Keys are scheduled for deletion with the longest waiting period.
 * @module
 */
import { replicasOf } from '../../../lifecycle/related-keys.ts'
import { groupArn } from '../../../model/group.ts'
import { aliasArn, keyArn, type KeyRecord } from '../../../model/key.ts'
import { managedPolicyArn } from '../../../model/managed-policy.ts'
import { oidcProviderArn } from '../../../model/oidc-provider.ts'
import { roleArn } from '../../../model/role.ts'
import { userArn } from '../../../model/user.ts'
import type { Applying } from './applying.ts'
import type { AccountEntry } from './document.ts'
import { type DocumentPath, refusalAt } from './document-path.ts'
import { releasePolicies } from './policies-of.ts'
import type { Page } from '../../../store/page.ts'

const pageRows = 1000
const windowDays = 30
const dayMs = 86_400_000

/** Deletes identities before managed policies, which are then attached to nothing. */
export async function pruneIdentities(
  applying: Applying,
  entry: AccountEntry,
  place: DocumentPath,
): Promise<void> {
  const { transaction, partition, note } = applying
  const { accountId } = entry
  const named = (entries: readonly { readonly name: string }[] = []): ReadonlySet<string> =>
    new Set(entries.map(({ name }) => name))
  const [users, roles, groups, policies] = [
    named(entry.users),
    named(entry.roles),
    named(entry.groups),
    named(entry.policies),
  ]
  const pathPrefix = '/'
  for (const user of await every((page) =>
    transaction.listUsers(accountId, { ...page, pathPrefix }),
  )) {
    if (users.has(user.name)) continue
    for (const key of await transaction.listAccessKeysOf(user.userId)) {
      await transaction.deleteAccessKey(key)
    }
    await releasePolicies(applying, user)
    await transaction.deleteUser(user)
    note({ change: 'delete', type: 'user', name: userArn(partition, user) })
  }
  for (const role of await every((page) =>
    transaction.listRoles(accountId, { ...page, pathPrefix }),
  )) {
    if (roles.has(role.name) || role.serviceLinked !== undefined) continue
    await releasePolicies(applying, role)
    await transaction.deleteRole(role)
    note({ change: 'delete', type: 'role', name: roleArn(partition, role) })
  }
  for (const group of await every((page) =>
    transaction.listGroups(accountId, { ...page, pathPrefix }),
  )) {
    if (groups.has(group.name)) continue
    await releasePolicies(applying, group)
    await transaction.deleteGroup(group)
    note({ change: 'delete', type: 'group', name: groupArn(partition, group) })
  }
  const listPolicies = (page: Page): ReturnType<typeof transaction.listManagedPolicies> =>
    transaction.listManagedPolicies(accountId, { ...page, pathPrefix, onlyAttached: false })
  for (const policy of await every(listPolicies)) {
    if (policies.has(policy.name) || policy.accountId !== accountId) continue
    const name = managedPolicyArn(partition, policy)
    if (policy.attachments + policy.boundaries > 0) {
      throw refusalAt(place, `${name} would be deleted, but the file attaches it`)
    }
    await transaction.deleteManagedPolicy(policy)
    note({ change: 'delete', type: 'managed policy', name })
  }
}

export async function pruneProviders(
  { transaction, partition, note }: Applying,
  { accountId, oidcProviders = [] }: AccountEntry,
): Promise<void> {
  for (const provider of await transaction.listOidcProviders(accountId)) {
    if (oidcProviders.some(({ url }) => url === provider.url)) continue
    await transaction.deleteOidcProvider(provider)
    note({ change: 'delete', type: 'OIDC provider', name: oidcProviderArn(partition, provider) })
  }
}

export async function pruneKeys(applying: Applying, entry: AccountEntry): Promise<void> {
  const { transaction, partition, note, region: defaultRegion } = applying
  const { accountId, keys = [] } = entry
  const entries = keys.flatMap((key) => [
    { ...key, region: key.region ?? defaultRegion },
    ...(key.replicas ?? []).map((replica) => ({ ...replica, keyId: key.keyId })),
  ])
  const named = new Set(entries.map(({ region, keyId }) => `${region} ${keyId}`))
  const aliases = new Set(
    entries.flatMap(({ region, aliases: of = [] }) => of.map((name) => `${region} ${name}`)),
  )
  for (const region of await transaction.listKeyRegions(accountId)) {
    const listAliases = (page: Page): ReturnType<typeof transaction.listAliases> =>
      transaction.listAliases(accountId, region, page)
    for (const alias of await every(listAliases)) {
      if (aliases.has(`${region} ${alias.name}`) || alias.name.startsWith('alias/aws/')) continue
      await transaction.deleteAlias(alias)
      note({ change: 'delete', type: 'alias', name: aliasArn(partition, alias) })
    }
    const listKeys = (page: Page): Promise<readonly KeyRecord[]> =>
      transaction.listKeys(accountId, region, page)
    for (const key of await every(listKeys, ({ keyId }) => keyId)) {
      if (named.has(`${region} ${key.keyId}`) || key.manager === 'AWS' || isDying(key)) continue
      await scheduleDeletion(applying, key)
      note({ change: 'scheduleDeletion', type: 'key', name: keyArn(partition, key) })
    }
  }
}

function isDying({ state }: KeyRecord): boolean {
  return state === 'PendingDeletion' || state === 'PendingReplicaDeletion'
}

/** The window of a primary key begins when its last replica is deleted. */
async function scheduleDeletion({ transaction, now }: Applying, key: KeyRecord): Promise<void> {
  const waits = (await replicasOf(transaction, key)).length > 0
  await transaction.updateKey(key, {
    state: waits ? 'PendingReplicaDeletion' : 'PendingDeletion',
    deletionDate: waits ? undefined : now + windowDays * dayMs,
    pendingWindowDays: windowDays,
    transitionStartedAt: undefined,
  })
}

/** Reads all rows before any of them is changed. */
async function every<T extends object>(
  list: (page: Page) => Promise<readonly T[]>,
  nameOf: (row: T) => string = (row) => String((row as { readonly name?: unknown }).name),
): Promise<readonly T[]> {
  const all: T[] = []
  for (let after: string | undefined; ;) {
    const page = await list({ limit: pageRows, ...(after !== undefined && { after }) })
    all.push(...page)
    const last = page.at(-1)
    if (page.length < pageRows || last === undefined) return all
    after = nameOf(last)
  }
}
