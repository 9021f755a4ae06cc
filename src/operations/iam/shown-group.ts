/** Groups in answers. @module */
import { groupArn, type GroupRecord } from '../../model/group.ts'

export interface ShownGroup {
  readonly Path: string
  readonly GroupName: string
  readonly GroupId: string
  readonly Arn: string
  readonly CreateDate: Date
}

export function shownGroup(partition: string, group: Omit<GroupRecord, 'rowVersion'>): ShownGroup {
  return {
    Path: group.path,
    GroupName: group.name,
    GroupId: group.groupId,
    Arn: groupArn(partition, group),
    CreateDate: new Date(group.createdAt),
  }
}
