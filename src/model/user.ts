/** Users of IAM. @module */
import { identityArn, type IdentityRecord, type NamedPlace } from './identity.ts'

export interface UserRecord extends IdentityRecord {
  /** `AIDA…`, unique for all time: a namesake has another. */
  readonly userId: string
  /** Unique ids of the groups that it is in, in the order in which it was added. */
  readonly groups: readonly string[]
  /** Sessions that were issued until this moment hold no more. */
  readonly sessionsRevokedAt?: number
}

export function userArn(partition: string, user: NamedPlace): string {
  return identityArn(partition, 'user', user)
}
