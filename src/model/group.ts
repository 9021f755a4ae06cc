/** Groups of IAM: users share their policies. They are no principals. @module */
import { identityArn, type IdentityRecord, type NamedPlace } from './identity.ts'

export interface GroupRecord extends Omit<IdentityRecord, 'permissionsBoundary'> {
  /** `AGPA…`, unique for all time. */
  readonly groupId: string
}

export function groupArn(partition: string, group: NamedPlace): string {
  return identityArn(partition, 'group', group)
}
