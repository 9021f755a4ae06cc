/** Users and tags as answers and condition keys show them. @module */
import type { IdentityTag } from '../../model/identity.ts'
import { userArn, type UserRecord } from '../../model/user.ts'
import type { ContextEntries } from '../operation.ts'

export interface ShownUser {
  readonly Path: string
  readonly UserName: string
  readonly UserId: string
  readonly Arn: string
  readonly CreateDate: Date
  readonly Tags?: IdentityTag[]
}

/** As `GetUser` shows it. */
export function shownUser(partition: string, user: UserRecord): ShownUser {
  return {
    ...listedUser(partition, user),
    ...(user.tags.length > 0 && { Tags: user.tags.map(({ Key, Value }) => ({ Key, Value })) }),
  }
}

/** As lists show it: without its tags. */
export function listedUser(partition: string, user: UserRecord): ShownUser {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.userId,
    Arn: userArn(partition, user),
    CreateDate: new Date(user.createdAt),
  }
}

/** A document as answers carry it: percent-encoded, by RFC 3986. */
export function shownDocument(document: string): string {
  return encodeURIComponent(document).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** The tags that a request brings, as condition keys. */
export function requestTags(tags: readonly IdentityTag[] = []): ContextEntries {
  if (tags.length === 0) return {}
  return {
    ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
    'aws:TagKeys': tags.map(({ Key }) => Key),
  }
}
