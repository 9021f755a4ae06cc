/** Turns the findings of a request's policies into reasons. @module */
import type { CompiledPolicy } from './compile.ts'
import type { Reason } from './decision.ts'
import type { Findings } from './findings.ts'

export type PolicyName = Reason['policy']

/** The findings of one policy. */
export interface PolicyFindings extends Findings {
  readonly name: PolicyName
  readonly policy: CompiledPolicy
}

/** Empty when the policy does not deny. */
export function denyOf({
  name,
  policy: { source },
  deny: statement,
  undecided,
}: PolicyFindings): readonly Reason[] {
  if (statement === undefined) return []
  const of = { policy: name, ...(source !== undefined && { source }) }
  const why = undecided && { undecided: undecided.why }
  return [{ effect: 'explicit-deny', ...of, statement, ...why }]
}

/** Undecided reasons in one record. More would add nothing. */
const undecidedMax = 8

/** The undecided statements that might have allowed the request. */
export function undecidedIn(found: readonly PolicyFindings[]): readonly Reason[] {
  const reasons = found.flatMap(({ name, policy: { source }, undecided }): Reason[] => {
    if (undecided === undefined) return []
    const of = { policy: name, ...(source !== undefined && { source }) }
    const { statement, why } = undecided
    return [{ effect: 'implicit-deny', ...of, statement, undecided: why }]
  })
  return reasons.slice(0, undecidedMax)
}
