/** The group that a call is about, which the pipeline has found. @module */
import type { GroupRecord } from '../../model/group.ts'

export function requiredGroup(group: GroupRecord | undefined): GroupRecord {
  if (group === undefined) throw new Error('a call without its group was authorized')
  return group
}
