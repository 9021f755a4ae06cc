/**
 * Roles and sessions that a call names by their unique ids: conditions see their ARNs, so that no policy is
 * passed by because a caller wrote an id.
 * @module
 */
import { readRoleId } from '../model/role.ts'
import type { Operation } from '../operations/contract/operation.ts'
import type { Principals } from '../operations/contract/dependencies.ts'

type Given = Readonly<Record<string, unknown>>

/** The input with ARNs for ids. An id of a role that is gone stays: the operation refuses it. */
export async function withRoleArns(
  { principalMembers = [] }: Pick<Operation, 'principalMembers'>,
  input: Given,
  { ofRoleId }: Pick<Principals, 'ofRoleId'>,
  partition: string,
): Promise<Given> {
  let meant = input
  for (const member of principalMembers) {
    const text = input[member]
    if (typeof text !== 'string' || readRoleId(text) === undefined) continue
    const found = await ofRoleId(text, partition)
    if (found !== undefined) meant = { ...meant, [member]: found.arn }
  }
  return meant
}
