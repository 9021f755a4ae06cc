/** IAM users. @module */
import { identityArn, type IdentityRecord, type NamedPlace } from './identity.ts'

export interface UserRecord extends IdentityRecord {
  /** `AIDA…`, never reused, so a later user of the same name has another id. */
  readonly userId: string
  /** Unique ids of its groups, in the order in which it joined them. */
  readonly groups: readonly string[]
  /** Sessions issued up to this time are revoked. */
  readonly sessionsRevokedAt?: number
}

export function userArn(partition: string, user: NamedPlace): string {
  return identityArn(partition, 'user', user)
}
