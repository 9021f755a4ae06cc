/** Users in answers, and the condition keys for the tags of a request. @module */
import type { IdentityTag } from '../../model/identity.ts'
import { userArn, type UserRecord } from '../../model/user.ts'
import type { StoreReads } from '../../store/store.ts'
import { shownBoundary } from './permissions-boundaries.ts'
import type { ContextEntries } from '../contract/call.ts'

export interface ShownUser {
  readonly Path: string
  readonly UserName: string
  readonly UserId: string
  readonly Arn: string
  readonly CreateDate: Date
  readonly PermissionsBoundary?: ReturnType<typeof shownBoundary>
  readonly Tags?: IdentityTag[]
}

/** A user as `GetUser` returns it: with its boundary and its tags. */
export async function shownUser(
  partition: string,
  user: Omit<UserRecord, 'rowVersion'>,
  store: Pick<StoreReads, 'findManagedPolicy'>,
): Promise<ShownUser> {
  const { permissionsBoundary: policyId } = user
  const boundary = policyId === undefined ? undefined : await store.findManagedPolicy(policyId)
  return {
    ...listedUser(partition, user),
    ...(boundary && { PermissionsBoundary: shownBoundary(partition, boundary) }),
    ...(user.tags.length > 0 && { Tags: user.tags.map(({ Key, Value }) => ({ Key, Value })) }),
  }
}

/** A user in lists: without its boundary and its tags. */
export function listedUser(partition: string, user: Omit<UserRecord, 'rowVersion'>): ShownUser {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.userId,
    Arn: userArn(partition, user),
    CreateDate: new Date(user.createdAt),
  }
}

/** The condition keys for the tags that a request sets. */
export function requestTags(tags: readonly IdentityTag[] = []): ContextEntries {
  if (tags.length === 0) return {}
  return {
    ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
    'aws:TagKeys': tags.map(({ Key }) => Key),
  }
}
