/** Finds the statements that apply to a request, by evaluating each alone with the engine. @module */
import type { AuthorizationRequest } from '../decision.ts'
import { findIn } from '../findings.ts'
import { controlledBy } from '../organization-limits.ts'
import { newWork } from '../work.ts'
import { placedPolicies, type PolicyPlace, type Spoken } from './policy-edits.ts'

/** A statement that applies to the request. */
export interface SpeakingStatement {
  readonly in: PolicyPlace
  readonly effect: 'Allow' | 'Deny'
  readonly label: string
  readonly position: number
}

/** Every statement that applies, of all policies for the request. */
export function speaking(
  request: AuthorizationRequest,
  { policies }: Spoken,
): readonly SpeakingStatement[] {
  const { serviceControl = [], resourceControl = [] } = controlledBy(request, policies)
  const asked = { ...request, work: request.work ?? newWork() }
  const bounded = policies.boundary !== undefined
  const concerned = { ...policies, serviceControl, resourceControl }
  return placedPolicies(concerned).flatMap(({ at, compiled }) =>
    compiled.statements.flatMap((statement, position): SpeakingStatement[] => {
      const uniqueIds = at.policy === 'resource' ? policies.resourcePrincipals : undefined
      const found = findIn({ statements: [statement] }, asked, { uniqueIds, bounded })
      const holds = found.deny !== undefined || Object.keys(found.allow).length > 0
      const { effect, label } = statement
      return holds ? [{ in: at, effect, label, position }] : []
    }),
  )
}
