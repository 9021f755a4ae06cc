/**
 * Replaces unique ids of roles and sessions in a call's input with ARNs, so that a caller cannot evade
 * a policy's condition by writing an id.
 * @module
 */
import type { Awaitable } from '../model/awaitable.ts'
import { readRoleId } from '../model/role.ts'
import type { Operation } from '../operations/contract/operation.ts'
import type { Principals } from '../operations/contract/dependencies.ts'

type Given = Readonly<Record<string, unknown>>

/**
 * Returns the input with ARNs instead of ids. The id of a deleted role stays, and the operation refuses
 * it.
 */
export function withRoleArns(
  { principalMembers = [] }: Pick<Operation, 'principalMembers'>,
  input: Given,
  principals: Pick<Principals, 'ofRoleId'>,
  partition: string,
): Awaitable<Given> {
  return principalMembers.length === 0
    ? input
    : replaceIds(principalMembers, input, principals, partition)
}

async function replaceIds(
  principalMembers: readonly string[],
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
