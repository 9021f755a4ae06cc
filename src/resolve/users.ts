/** Users that calls of IAM name: found before the call is authorized, told of only after it. @module */
import { KmsError } from '../errors.ts'
import { formatArn } from '../model/arn.ts'
import type { Caller } from '../model/caller.ts'
import { userArn, type UserRecord } from '../model/user.ts'
import type { ContextEntries, UserUse } from '../operations/operation.ts'
import type { StoreReads } from '../store/store.ts'
import type { Place } from './identifiers.ts'
import { tagEntries } from './known-user.ts'

export interface NamedUser {
  readonly action: string
  readonly arn: string
  /** How AWS's refusal names the resource: `user Bob`, an ARN where one is yet to be made. */
  readonly shown: string
  /** Absent when there is none, or when the caller is meant and is no user. */
  readonly record?: UserRecord
  /** The name that must be somebody's; absent where none need be. */
  readonly required?: string
  /** The user's tags, as condition keys. */
  readonly entries: ContextEntries
}

interface Naming {
  readonly caller: Caller
  readonly place: Place
}

/** The user that the call is about. */
export async function resolveUser(
  { caller, place }: Naming,
  input: Readonly<Record<string, unknown>>,
  use: UserUse,
  store: Pick<StoreReads, 'findUser' | 'findUserByName'>,
): Promise<NamedUser> {
  const { action } = use
  const { accountId, partition } = place
  const given = input[use.from]
  if (use.absent === 'made') {
    const path = typeof input['Path'] === 'string' ? input['Path'] : '/'
    const arn = userArn(partition, { accountId, path, name: String(given) })
    return { action, arn, shown: arn, entries: {} }
  }
  if (typeof given !== 'string') {
    const record = caller.kind === 'user' ? await store.findUser(caller.uniqueId) : undefined
    return { ...namedUser(action, caller.arn, caller.userName, record), shown: caller.arn }
  }
  const record = await store.findUserByName(accountId, given)
  const arn = userArn(partition, record ?? { accountId, path: '/', name: given })
  return namedUser(action, arn, given, record)
}

function namedUser(
  action: string,
  arn: string,
  name: string | undefined,
  record: UserRecord | undefined,
): NamedUser {
  return {
    action,
    arn,
    shown: `user ${name ?? ''}`,
    ...(record && { record }),
    ...(name !== undefined && { required: name }),
    entries: record === undefined ? {} : resourceTags(record),
  }
}

function resourceTags(record: UserRecord): ContextEntries {
  return { ...tagEntries('aws:ResourceTag', record), ...tagEntries('iam:ResourceTag', record) }
}

/** @throws {KmsError} `NoSuchEntityException` */
export function requireUser(named: NamedUser | undefined): void {
  if (named?.required === undefined || named.record !== undefined) return
  const message = `The user with name ${named.required} cannot be found.`
  throw new KmsError('NoSuchEntityException', message)
}

/** The ARN of what IAM holds in the caller's account. */
export function iamArn({ partition, accountId }: Place, resource: string): string {
  return formatArn({ partition, service: 'iam', region: '', accountId, resource })
}
