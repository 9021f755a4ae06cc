/**
 * What one policy says to one request: its denies, and its allows by how closely they mean the
 * caller.
 * @module
 */
import { meansCaller, type Closeness } from './caller-names.ts'
import type { CompiledPolicy } from './compile.ts'
import type { AuthorizationRequest } from './decision.ts'

/** Labels of statements. */
export interface Findings {
  readonly deny?: string
  readonly allow: Readonly<Partial<Record<Closeness, string>>>
}

/**
 * Evaluates every statement; identity policies mean their caller.
 * @param uniqueIds of the principals that a key policy names, by ARN
 */
export function findIn(
  policy: CompiledPolicy,
  { caller, action, resource, context }: AuthorizationRequest,
  uniqueIds: Readonly<Record<string, string>> = {},
): Findings {
  const lowerAction = action.toLowerCase()
  const allow: Partial<Record<Closeness, string>> = {}
  for (const statement of policy.statements) {
    const { principals, effect, label } = statement
    if (!statement.coversAction(lowerAction)) continue
    const closeness =
      principals === undefined ? 'session' : meansCaller(principals, caller, uniqueIds, effect)
    if (closeness === undefined || !statement.coversResource(resource.arn, context)) continue
    if (!statement.holds(context)) continue
    if (effect === 'Deny') return { deny: label, allow: {} }
    allow[closeness] ??= label
  }
  return { allow }
}
