/**
 * What the changes after a backup took away, and how to take it away again. Of two changes that undo each
 * other, the later one counts. A change that this file does not know may have taken something away: the
 * caller gets its name.
 *
 * INVARIANT (names of the backup): users and groups are found in the backup by their names. After a rename,
 * somebody else may have either name. So a later change that names one of them is neither repeated nor does
 * it undo anything.
 * @module
 */
import { parseArn } from '../model/arn.ts'
import { readIdentityResource } from '../model/identity.ts'
import type { LoggedChange } from './logged-changes.ts'

/**
 * Changes that only give something. What they gave is lost; nothing comes back. `DestroyBackingKeys` is
 * followed by `DeleteKey`.
 */
const giving: ReadonlySet<string> = new Set([
  'AddClientIDToOpenIDConnectProvider',
  'ConnectCustomKeyStore',
  'CreateAccount',
  'CreateAlias',
  'CreateAccessKey',
  'CreateCustomKeyStore',
  'CreateGrant',
  'CreateGroup',
  'CreateKey',
  'CreateOpenIDConnectProvider',
  'CreatePolicy',
  'CreateRole',
  'CreateServiceLinkedRole',
  'CreateTrail',
  'CreateUser',
  'CreateXksProxy',
  'DestroyBackingKeys',
  'EnableKeyRotation',
  'RegisterService',
  'RewrapData',
  'ReplicateKey',
  'RotateKey',
  'RotateKeyOnDemand',
  'RotateXksProxyCredential',
  'SynchronizeMultiRegionKey',
  'UpdateKeyDescription',
])

/** Changes that undo others: the members that name what both change. */
const undone: Readonly<Record<string, readonly [undoes: string, ...members: readonly string[]]>> = {
  EnableKey: ['DisableKey'],
  AttachUserPolicy: ['DetachUserPolicy', 'userName', 'policyArn'],
  AttachRolePolicy: ['DetachRolePolicy', 'roleName', 'policyArn'],
  AttachGroupPolicy: ['DetachGroupPolicy', 'groupName', 'policyArn'],
  AddUserToGroup: ['RemoveUserFromGroup', 'userName', 'groupName'],
}

/** After these, the member names another policy or group, so nothing from before can be undone. */
const ending: Readonly<Record<string, NamingMember>> = {
  DeletePolicy: 'policyArn',
  DeleteGroup: 'groupName',
}

/** Changes of a name: the member that has the name before, and the one that has the new name. */
const renaming: Readonly<Record<string, readonly [before: NamingMember, after: string]>> = {
  UpdateUser: ['userName', 'newUserName'],
  UpdateGroup: ['groupName', 'newGroupName'],
}

/** Changes that name a user, and find what they take away by its id. */
const foundById: ReadonlySet<string> = new Set(['DeleteAccessKey', 'UpdateAccessKey'])

const namingMembers = ['userName', 'groupName', 'policyArn'] as const
type NamingMember = (typeof namingMembers)[number]

export interface TakenAway {
  readonly apply: readonly LoggedChange[]
  /** Changes that may have taken something away, and cannot be repeated from the log. */
  readonly unknown: readonly LoggedChange[]
}

/** @param known the names of changes that can be repeated */
export function takenAway(changes: readonly LoggedChange[], known: ReadonlySet<string>): TakenAway {
  const apply = new Map<string, LoggedChange>()
  const unknown: LoggedChange[] = []
  const others = createOthers()
  for (const change of changes) {
    const { name } = change
    const [undoes, ...members] = undone[name] ?? []
    if (undoes !== undefined) {
      const isUndone = !others.isNamed(change) && apply.delete(nameOf(undoes, change, members))
      // A policy, the one of a group too, may have added a Deny.
      if (!isUndone && name !== 'EnableKey') unknown.push(change)
    } else if (known.has(name) && others.isRenamed(change)) {
      unknown.push(change)
    } else if (name === 'CancelKeyDeletion') {
      apply.delete(nameOf('ScheduleKeyDeletion', change, []))
      // The backup may have the key in its waiting period, and the key must not be deleted.
      apply.set(change.id, change)
      // It leaves the key disabled.
      apply.set(nameOf('DisableKey', change, []), { ...change, name: 'DisableKeptKey' })
    } else if (name === 'UpdateAccessKey' && change.details['status'] === 'Active') {
      apply.delete(nameOf(name, change, ['accessKeyId']))
    } else if (known.has(name)) {
      const key = others.isNamed(change) ? change.id : switchOf(change)
      apply.delete(key) // so that it comes after what was changed before it
      apply.set(key, change)
    } else if (!giving.has(name)) unknown.push(change)
    others.see(change)
  }
  return { apply: [...apply.values()], unknown }
}

interface Others {
  /** Whether a change names a user or a group by a name of before or after a rename. */
  readonly isRenamed: (change: LoggedChange) => boolean
  /** The same, or by a name of something that was deleted. */
  readonly isNamed: (change: LoggedChange) => boolean
  readonly see: (change: LoggedChange) => void
}

/** The names that may be of another user, group or policy than in the backup. */
function createOthers(): Others {
  const renamed = new Set<string>()
  const ended = new Set<string>()
  let isPruned = false
  return {
    isRenamed: (change) => namesIn(change).some((each) => renamed.has(each)),
    isNamed: (change) =>
      namesIn(change).some((each) => isPruned || renamed.has(each) || ended.has(each)),
    see({ name, accountId, details }) {
      const end = ending[name]
      if (end !== undefined) ended.add(nameIn(accountId, end, details[end]))
      // Its record does not name all that it deletes.
      if (name === 'Apply' && details['prune'] === true) isPruned = true
      const [before, after] = renaming[name] ?? []
      if (before === undefined || after === undefined || details[after] === undefined) return
      for (const member of [before, after]) {
        renamed.add(nameIn(accountId, before, details[member]))
      }
    },
  }
}

/** The names by which a change finds users, groups and policies. */
function namesIn({ name, accountId, details }: LoggedChange): readonly string[] {
  if (foundById.has(name)) return []
  const names = namingMembers.flatMap((member) =>
    details[member] === undefined ? [] : [nameIn(accountId, member, details[member])],
  )
  const arn = parseArn(String(details['principalArn']))
  const user = readIdentityResource('user', arn?.resource ?? '')
  return user === undefined ? names : [...names, nameIn(arn?.accountId, 'userName', user.name)]
}

function nameIn(accountId: string | undefined, member: NamingMember, name: unknown): string {
  return JSON.stringify([accountId, member, name])
}

/** Of some changes, the last one with the same key counts. */
function switchOf(change: LoggedChange): string {
  const { name, id } = change
  if (name === 'UpdateAccessKey') return nameOf(name, change, ['accessKeyId'])
  if (name === 'ScheduleKeyDeletion') return nameOf(name, change, [])
  const pair = Object.values(undone).find(([each]) => each === name)
  return pair === undefined ? id : nameOf(name, change, pair.slice(1))
}

function nameOf(
  name: string,
  { accountId, arns, details }: LoggedChange,
  members: readonly string[],
): string {
  const named = members.length === 0 ? arns.slice(0, 1) : members.map((each) => details[each])
  return JSON.stringify([name, accountId, ...named])
}
