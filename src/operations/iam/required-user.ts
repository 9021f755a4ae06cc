/** The user that a call is about, which the pipeline has found. @module */
import { KmsError } from '../../errors.ts'
import type { AccessKeyRecord } from '../../model/access-key.ts'
import type { UserRecord } from '../../model/user.ts'
import type { StoreReads } from '../../store/store.ts'

export function requiredUser(user: UserRecord | undefined): UserRecord {
  if (user === undefined) throw new Error('a call without its user was authorized')
  return user
}

/** A user that a call names beside what it is about. @throws {KmsError} `NoSuchEntityException` */
export async function userNamed(
  accountId: string,
  name: string,
  store: Pick<StoreReads, 'findUserByName'>,
): Promise<UserRecord> {
  const found = await store.findUserByName(accountId, name)
  if (found !== undefined) return found
  throw new KmsError('NoSuchEntityException', `The user with name ${name} cannot be found.`)
}

/**
 * Root users have the access keys of the server's settings, which no call changes.
 * @throws {KmsError} `InvalidInputException`
 */
export function ownerOfKeys(user: UserRecord | undefined): UserRecord {
  if (user !== undefined) return user
  const message = "the access keys of an account's root user are those of the server's settings"
  throw new KmsError('InvalidInputException', message)
}

/** @throws {KmsError} `NoSuchEntityException`, for another user's key as well */
export async function accessKeyOf(
  user: UserRecord,
  accessKeyId: string,
  store: Pick<StoreReads, 'findAccessKey'>,
): Promise<AccessKeyRecord> {
  const found = await store.findAccessKey(accessKeyId)
  if (found?.principalId === user.userId) return found
  const message = `The Access Key with id ${accessKeyId} cannot be found.`
  throw new KmsError('NoSuchEntityException', message)
}
