/**
 * Explains a decision, and finds the smallest change that would reverse it. The engine decides, and
 * every proposed change was tested on it: this code does not know its rules.
 * @module
 */
import { authorize } from '../authorize.ts'
import type { AuthorizationRequest, Decision } from '../decision.ts'
import { applyEdit, type Edit, type Spoken } from './policy-edits.ts'
import { proposeAllow, proposeDeny, type Pause } from './propose-edits.ts'
import { speaking, type SpeakingStatement } from './speaking.ts'

export interface Explanation {
  readonly decision: Decision
  readonly statements: readonly SpeakingStatement[]
  /** The fewest changes that reverse the decision; absent when no change to a policy does. */
  readonly change?: readonly Edit[]
  /** Other sets of changes, of the same number or more. */
  readonly alternatives: readonly (readonly Edit[])[]
}

/** @param pause is awaited between decisions, so that other calls can run; it may throw */
export async function explain(
  request: AuthorizationRequest,
  spoken: Spoken,
  pause: Pause,
): Promise<Explanation> {
  const decision = authorize(request, spoken.policies, spoken.grants)
  const wanted = decision.decision === 'allow' ? 'deny' : 'allow'
  const turns = async (edits: readonly Edit[]): Promise<boolean> => {
    await pause()
    const { policies, grants } = applyAll(edits, spoken)
    const after = authorize(request, policies, grants)
    return after.decision === wanted && after.errors.length === 0
  }
  const ways =
    wanted === 'deny'
      ? proposeDeny(request, spoken, decision)
      : await proposeAllow(request, spoken, pause)
  const turning = new Map<string, readonly Edit[]>()
  for (const way of ways) {
    if (!(await turns(way))) continue
    const least = await leastOf(way, turns)
    turning.set(JSON.stringify(least), least)
  }
  await pause()
  const [change, ...alternatives] = [...turning.values()].toSorted(
    (one, other) => one.length - other.length,
  )
  return {
    decision,
    statements: speaking(request, spoken),
    ...(change && { change }),
    alternatives,
  }
}

function applyAll(edits: readonly Edit[], spoken: Spoken): Spoken {
  return edits.reduce((before, edit) => applyEdit(edit, before), spoken)
}

/**
 * Removes every edit that is not needed. Edits of one policy refer to positions, which later edits do
 * not move.
 */
async function leastOf(
  edits: readonly Edit[],
  turns: (edits: readonly Edit[]) => Promise<boolean>,
): Promise<readonly Edit[]> {
  let least = edits
  for (const edit of edits) {
    const without = least.filter((each) => each !== edit)
    if (without.length > 0 && (await turns(without))) least = without
  }
  return least
}
