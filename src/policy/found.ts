/** The reasons that the findings of one request's policies give. @module */
import type { CompiledPolicy } from './compile.ts'
import type { Reason } from './decision.ts'
import type { Findings } from './findings.ts'

export type PolicyName = Reason['policy']

/** What one policy says. */
export interface Found extends Findings {
  readonly name: PolicyName
  readonly policy: CompiledPolicy
}

/** Empty where the policy does not deny. */
export function denyOf({
  name,
  policy: { source },
  deny: statement,
  undecided,
}: Found): readonly Reason[] {
  if (statement === undefined) return []
  const of = { policy: name, ...(source !== undefined && { source }) }
  const why = undecided && { undecided: undecided.why }
  return [{ effect: 'explicit-deny', ...of, statement, ...why }]
}

/** Reasons of a record: more of them would say nothing new. */
const undecidedMax = 8

/** The statements that might have allowed. */
export function undecidedIn(found: readonly Found[]): readonly Reason[] {
  const reasons = found.flatMap(({ name, policy: { source }, undecided }): Reason[] => {
    if (undecided === undefined) return []
    const of = { policy: name, ...(source !== undefined && { source }) }
    const { statement, why } = undecided
    return [{ effect: 'implicit-deny', ...of, statement, undecided: why }]
  })
  return reasons.slice(0, undecidedMax)
}
