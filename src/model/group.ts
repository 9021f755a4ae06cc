/** IAM groups: their users share their policies. A group is not a principal. @module */
import { identityArn, type IdentityRecord, type NamedPlace } from './identity.ts'

export interface GroupRecord extends Omit<IdentityRecord, 'permissionsBoundary'> {
  /** `AGPA…`, never reused. */
  readonly groupId: string
}

export function groupArn(partition: string, group: NamedPlace): string {
  return identityArn(partition, 'group', group)
}
