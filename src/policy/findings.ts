/**
 * Evaluates one policy for one request: its denies, and its allows by how closely they mean the caller.
 * @module
 */
import { meansCaller, type Closeness, type PrincipalFacts } from './caller-names.ts'
import type { CompiledPolicy, CompiledStatement } from './compile.ts'
import type { AuthorizationRequest } from './decision.ts'
import { every, type Undecided, type Verdict } from './undecided.ts'
import { isSpent, newWork, spend, WorkSpent, type Work } from './work.ts'

/** Labels of statements. */
export interface Findings {
  readonly deny?: string
  readonly allow: Readonly<Partial<Record<Closeness, string>>>
  /** The first undecided statement. A Deny counts then, an Allow does not. */
  readonly undecided?: { readonly statement: string; readonly why: Undecided }
}

/** A statement that covers the caller, the action and the resource. */
export interface Covering {
  readonly closeness: Closeness
  /** Whether its conditions hold. */
  readonly holds: Verdict
}

/** Steps of a statement, in addition to its patterns and conditions. */
const statementSteps = 100
const principalSteps = 300

/** Evaluates every statement. Identity policies always mean their caller. */
export function findIn(
  policy: CompiledPolicy,
  request: AuthorizationRequest,
  facts: PrincipalFacts = {},
): Findings {
  const work = request.work ?? newWork()
  const allow: Partial<Record<Closeness, string>> = {}
  let undecided: Findings['undecided']
  for (const statement of policy.statements) {
    const found = askStatement(statement, request, facts, work)
    if (found === undefined || found.holds === false) continue
    const { label, effect } = statement
    const { closeness, holds } = found
    const why = holds === true ? undefined : { statement: label, why: holds }
    if (effect === 'Deny') return { deny: label, allow: {}, ...(why && { undecided: why }) }
    if (why === undefined) allow[closeness] ??= label
    else undecided ??= why
  }
  return { allow, ...(undecided && { undecided }) }
}

/** Undefined when the statement does not cover the request. */
export function askStatement(
  statement: CompiledStatement,
  request: AuthorizationRequest,
  facts: PrincipalFacts,
  work: Work,
): Covering | undefined {
  return within(work, () => coveringOf(statement, request, facts, work), {
    closeness: 'session',
    holds: 'work',
  })
}

/** Also true when the comparison exceeds the work limit. */
export function mayCoverAction(statement: CompiledStatement, action: string, work: Work): boolean {
  return within(work, () => statement.coversAction(action.toLowerCase(), work), true)
}

/** The result of `ask`, or `undecided` when it exceeds the work limit, because the rest might match. */
function within<T>(work: Work, ask: () => T, undecided: T): T {
  if (isSpent(work)) return undecided
  try {
    return ask()
  } catch (error) {
    if (error instanceof WorkSpent) return undecided
    throw error
  }
}

function coveringOf(
  statement: CompiledStatement,
  { caller, action, resource, context }: AuthorizationRequest,
  facts: PrincipalFacts,
  work: Work,
): Covering | undefined {
  const { principals, effect } = statement
  spend(work, statementSteps)
  if (!statement.coversAction(action.toLowerCase(), work)) return undefined
  if (principals !== undefined) spend(work, principalSteps)
  const closeness =
    principals === undefined ? 'session' : meansCaller(principals, caller, facts, effect)
  if (closeness === undefined) return undefined
  const covers = statement.coversResource(resource.arn, context, work)
  if (covers === false) return undefined
  const holds = every([() => covers, () => statement.holds(context, work)], (ask) => ask())
  return { closeness, holds }
}

/** Whether the statement takes effect. An undecided one goes against the caller. */
export function takesEffect({ holds }: Covering, { effect }: CompiledStatement): boolean {
  return effect === 'Deny' ? holds !== false : holds === true
}
