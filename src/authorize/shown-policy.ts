/**
 * Shows a stored policy as AWS does: a deleted principal as its unique id, a renamed user by the new
 * name.
 * @module
 */
import { parseArn } from '../model/arn.ts'
import type { FindPrincipal, FindUserArn } from './principals.ts'

/**
 * The text as written while all principals exist under their names; otherwise formatted anew.
 * @param principals unique ids of the users, roles and sessions that the policy names, by ARN
 */
export async function shownPolicy(
  policy: string,
  principals: Readonly<Record<string, string>>,
  findPrincipal: FindPrincipal,
  findUserArn: FindUserArn,
): Promise<string> {
  const gone = new Map<string, string>()
  for (const [arn, id] of Object.entries(principals)) {
    // One at a time: a policy may name a thousand principals, and one caller must not flood the store.
    if ((await findPrincipal(arn)) === id) continue
    const renamed = await findUserArn(id, parseArn(arn)?.partition ?? 'aws')
    gone.set(arn, renamed ?? id)
  }
  if (gone.size === 0) return policy
  const document: unknown = JSON.parse(policy)
  if (isObject(document)) {
    for (const statement of listOf(document['Statement'])) {
      if (!isObject(statement)) continue
      replaceIn(statement['Principal'], gone)
      replaceIn(statement['NotPrincipal'], gone)
    }
  }
  return JSON.stringify(document, null, 2)
}

function replaceIn(clause: unknown, gone: ReadonlyMap<string, string>): void {
  if (!isObject(clause)) return
  const shown = listOf(clause['AWS']).map((name) =>
    typeof name === 'string' ? (gone.get(name) ?? name) : name,
  )
  if (Array.isArray(clause['AWS'])) clause['AWS'] = shown
  else if (shown.length > 0) [clause['AWS']] = shown
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
