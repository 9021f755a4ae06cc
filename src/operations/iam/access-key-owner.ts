/** The user whose access keys a call is about, and one key of that user. @module */
import { KmsError } from '../../errors.ts'
import type { AccessKeyRecord } from '../../model/access-key.ts'
import type { UserRecord } from '../../model/user.ts'
import type { StoreReads } from '../../store/store.ts'

/**
 * The user whose access keys a call changes. The access keys of root users come from the server's settings,
 * and no call changes them.
 * @throws {KmsError} `InvalidInputException`
 */
export function ownerOfKeys(user: UserRecord | undefined): UserRecord {
  if (user !== undefined) return user
  const message = "the access keys of an account's root user come from the server's settings"
  throw new KmsError('InvalidInputException', message)
}

/** One access key of the user. @throws {KmsError} `NoSuchEntityException`, for another user's key as well */
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
