/** Applies the groups and users of a document. @module */
import { groupArn, type GroupRecord } from '../../../model/group.ts'
import { identifierOf, type IdentityKind, uniqueIdCharacters } from '../../../model/identity.ts'
import { userArn, type UserRecord } from '../../../model/user.ts'
import { DuplicateRow } from '../../../store/store.ts'
import { groupsPerUserMax } from '../../iam/add-user-to-group.ts'
import { groupsMax } from '../../iam/create-group.ts'
import { usersMax } from '../../iam/create-user.ts'
import { checkName, checkPath } from '../../iam/members.ts'
import { applyAccessKeys } from './access-keys.ts'
import { sameList, type Applying } from './applying.ts'
import type { GroupEntry, UserEntry } from './document.ts'
import { type DocumentPath, placed, refusalAt } from './document-path.ts'
import { policyChanges } from './policies-of.ts'
import { identityTagsOf } from './tags.ts'

export async function applyGroup(
  applying: Applying,
  accountId: string,
  entry: GroupEntry,
  place: DocumentPath,
): Promise<void> {
  const { transaction, partition, dependencies, now, note } = applying
  await requireNamed('group', entry, place)
  const find = (): Promise<GroupRecord | undefined> =>
    transaction.findGroupByName(accountId, entry.name)
  const present = await find()
  if (present !== undefined) requireSamePath(entry, present, place)
  else {
    requireBelow(await transaction.countGroups(accountId), groupsMax, 'groups', place)
    const groupId = identifierOf('AGPA', dependencies.random.bytes(uniqueIdCharacters))
    const group = { groupId, ...emptyIdentity(accountId, entry, now) }
    await inserting('group', entry.name, place, () => transaction.insertGroup(group))
  }
  const group = present ?? (await made(find))
  const changes = await policyChanges(applying, 'group', group, entry, place)
  const { permissionsBoundary: _, ...rest } = changes // groups have no boundary
  if (Object.keys(rest).length > 0) await transaction.updateGroup(group, rest)
  noteIdentity(note, 'group', groupArn(partition, group), present, rest)
}

export async function applyUser(
  applying: Applying,
  accountId: string,
  entry: UserEntry,
  place: DocumentPath,
): Promise<void> {
  const { transaction, partition, dependencies, now, note, prune } = applying
  await requireNamed('user', entry, place)
  const find = (): Promise<UserRecord | undefined> =>
    transaction.findUserByName(accountId, entry.name)
  const present = await find()
  if (present !== undefined) requireSamePath(entry, present, place)
  else {
    requireBelow(await transaction.countUsers(accountId), usersMax, 'users', place)
    const userId = identifierOf('AIDA', dependencies.random.bytes(uniqueIdCharacters))
    const user = { userId, groups: [], ...emptyIdentity(accountId, entry, now) }
    await inserting('user', entry.name, place, () => transaction.insertUser(user))
  }
  const user = present ?? (await made(find))
  const groups = await groupsOf(applying, user, entry.groups ?? [], [...place, 'groups'])
  const tags = await identityTagsOf(user.tags, entry.tags, [...place, 'tags'], prune)
  const changes = {
    ...(await policyChanges(applying, 'user', user, entry, place)),
    ...(groups !== undefined && { groups }),
    ...(tags !== undefined && { tags }),
  }
  if (Object.keys(changes).length > 0) await transaction.updateUser(user, changes)
  noteIdentity(note, 'user', userArn(partition, user), present, changes)
  const owner = { accountId, principalKind: 'user', principalId: user.userId } as const
  await applyAccessKeys(applying, owner, entry.accessKeys ?? [], [...place, 'accessKeys'])
}

async function groupsOf(
  { transaction, prune }: Applying,
  { accountId, groups: before }: UserRecord,
  names: readonly string[],
  place: DocumentPath,
): Promise<readonly string[] | undefined> {
  const wanted: string[] = []
  for (const [index, name] of names.entries()) {
    const group = await transaction.findGroupByName(accountId, name)
    if (group === undefined) {
      throw refusalAt([...place, index], `there is no group \`${name}\` in account ${accountId}`)
    }
    if (!wanted.includes(group.groupId)) wanted.push(group.groupId)
  }
  const kept = before.filter((id) => !prune || wanted.includes(id))
  const result = [...kept, ...wanted.filter((id) => !kept.includes(id))]
  requireBelow(result.length - 1, groupsPerUserMax, 'groups of one user', place)
  return sameList(result, before) ? undefined : result
}

/** A new identity without policies, tags and groups, which a later update of the row adds. */
export function emptyIdentity(
  accountId: string,
  { name, path = '/' }: { readonly name: string; readonly path?: string },
  now: number,
): Omit<GroupRecord, 'groupId' | 'rowVersion'> {
  const none = { inlinePolicies: {}, attachedPolicies: [], tags: [] }
  return { accountId, name, path, ...none, createdAt: now }
}

interface Named {
  readonly name: string
  readonly path?: string
}

export async function requireNamed(
  kind: IdentityKind,
  entry: Named,
  place: DocumentPath,
): Promise<void> {
  await placed([...place, 'name'], () => checkName(`${kind}Name`, entry.name))
  await placed([...place, 'path'], () => checkPath(entry.path))
}

/** The path is part of the ARN, which policies and grants name, so it cannot change. */
export function requireSamePath(
  { path }: Named,
  present: Required<Named>,
  place: DocumentPath,
): void {
  if (path === undefined || path === present.path) return
  throw refusalAt([...place, 'path'], `\`${present.name}\` exists with the path ${present.path}`)
}

export function requireBelow(count: number, max: number, what: string, place: DocumentPath): void {
  if (count < max) return
  throw refusalAt(place, `there would be more than ${max} ${what}`, 'LimitExceededException')
}

export async function inserting(
  kind: IdentityKind,
  name: string,
  place: DocumentPath,
  insert: () => Promise<unknown>,
): Promise<void> {
  try {
    await insert()
  } catch (error) {
    if (!(error instanceof DuplicateRow)) throw error
    throw refusalAt(
      [...place, 'name'],
      `the name of a ${kind} differs from \`${name}\` in case only`,
    )
  }
}

export async function made<T>(find: () => Promise<T | undefined>): Promise<T> {
  const found = await find()
  if (found === undefined) throw new Error('a written row is missing')
  return found
}

export function noteIdentity(
  note: Applying['note'],
  type: IdentityKind,
  name: string,
  present: object | undefined,
  changes: object,
): void {
  const members = Object.keys(changes)
  if (present === undefined) note({ change: 'create', type, name })
  else if (members.length > 0) note({ change: 'update', type, name, members })
}
