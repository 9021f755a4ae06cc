/**
 * What the changes after a backup took away, and how to take it away again. Of two changes that undo each
 * other, the later one counts. A change that this file does not know may have taken something away: the
 * caller gets its name.
 * @module
 */
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
const ending: Readonly<Record<string, string>> = {
  DeletePolicy: 'policyArn',
  DeleteGroup: 'groupName',
}

export interface TakenAway {
  readonly apply: readonly LoggedChange[]
  /** Changes that may have taken something away, and cannot be repeated from the log. */
  readonly unknown: readonly LoggedChange[]
}

/** @param known the names of changes that can be repeated */
export function takenAway(changes: readonly LoggedChange[], known: ReadonlySet<string>): TakenAway {
  const apply = new Map<string, LoggedChange>()
  const unknown: LoggedChange[] = []
  const ended = new Set<unknown>()
  for (const change of changes) {
    const { name } = change
    const [undoes, ...members] = undone[name] ?? []
    if (undoes !== undefined) {
      const isOther = members.some((member) => ended.has(change.details[member]))
      const isUndone = !isOther && apply.delete(nameOf(undoes, change, members))
      // A policy, the one of a group too, may have added a Deny.
      if (!isUndone && name !== 'EnableKey') unknown.push(change)
      continue
    }
    if (ending[name] !== undefined) ended.add(change.details[ending[name]])
    if (name === 'CancelKeyDeletion') {
      apply.delete(nameOf('ScheduleKeyDeletion', change, []))
      // The backup may have the key in its waiting period, and the key must not be deleted.
      apply.set(change.id, change)
      // It leaves the key disabled.
      apply.set(nameOf('DisableKey', change, []), { ...change, name: 'DisableKey' })
    } else if (name === 'UpdateAccessKey' && change.details['status'] === 'Active') {
      apply.delete(nameOf(name, change, ['accessKeyId']))
    } else if (known.has(name)) {
      const pair = Object.values(undone).find(([each]) => each === name)
      const isSwitch = pair !== undefined || name === 'ScheduleKeyDeletion'
      const [, ...by] = pair ?? []
      const key =
        name === 'UpdateAccessKey'
          ? nameOf(name, change, ['accessKeyId'])
          : isSwitch
            ? nameOf(name, change, by)
            : change.id
      apply.delete(key) // so that it comes after what was changed before it
      apply.set(key, change)
    } else if (!giving.has(name)) unknown.push(change)
  }
  return { apply: [...apply.values()], unknown }
}

function nameOf(
  name: string,
  { accountId, arns, details }: LoggedChange,
  members: readonly string[],
): string {
  const named = members.length === 0 ? arns.slice(0, 1) : members.map((each) => details[each])
  return JSON.stringify([name, accountId, ...named])
}
