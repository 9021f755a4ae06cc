/**
 * Compiles a policy: its patterns and conditions, once. The result is immutable, and all keys with the
 * same text share it. A policy that cannot be read compiles to one that denies, because it may hold a
 * Deny.
 * @module
 */
import { compileCondition, type Predicate } from './conditions.ts'
import type {
  Effect,
  Negatable,
  PolicyDocument,
  PolicyKind,
  PolicyPrincipal,
  PolicyLanguageVersion,
  Statement,
} from './document.ts'
import { compileGlob, piecesOf } from './glob.ts'
import { describeFault } from './malformed.ts'
import { compileResources, coversAny, type CoversResource } from './resources.ts'
import { every, type Verdict } from './undecided.ts'
import { readPolicy } from './validate.ts'
import type { Work } from './work.ts'
import type { Context } from './context-values.ts'

export interface CompiledPolicy {
  /** Why the policy cannot be read. It has no statements then, and every request is denied. */
  readonly broken?: string
  /** The text as written; absent for generated policies. */
  readonly text?: string
  /** The policy's name among several of its kind, for explanations. */
  readonly source?: string
  /** Present when the policy uses a key's aliases. They are looked up only then. */
  readonly asksAliases?: true
  readonly statements: readonly CompiledStatement[]
}

export interface CompiledStatement {
  /** The Sid, or the statement's index as `#0`. */
  readonly label: string
  readonly effect: Effect
  /** Absent in identity policies. */
  readonly principals?: CompiledPrincipals
  /** The action is in lower case, because actions are compared without case. @throws {WorkSpent} */
  readonly coversAction: (action: string, work: Work) => boolean
  readonly coversResource: CoversResource
  /** Whether all conditions hold. @throws {WorkSpent} */
  readonly holds: (context: Context, work: Work) => Verdict
}

export interface CompiledPrincipals {
  readonly negated: boolean
  readonly everyone: boolean
  readonly accounts: ReadonlySet<string>
  /** Users, roles, sessions and federated users, as written. */
  readonly arns: ReadonlySet<string>
  /** Service principals, such as `ec2.amazonaws.com`. */
  readonly services: ReadonlySet<string>
  /** Identity providers, by host or ARN. */
  readonly federated: ReadonlySet<string>
}

/** Compiles a stored policy. `identity` is also the kind of boundaries and session policies. */
export function compilePolicy(text: string, kind: PolicyKind): CompiledPolicy {
  const result = readPolicy(text, kind)
  if (!result.ok) return { broken: describeFault(result.fault), statements: [], text }
  return { ...compileDocument(result.document, kind), text }
}

export function compileDocument(
  { version, statements }: PolicyDocument,
  kind: PolicyKind,
): CompiledPolicy {
  const compiled: CompiledStatement[] = []
  for (const [index, statement] of statements.entries()) {
    const conditions = compileConditions(statement, version)
    if (conditions === undefined) return { broken: `statement #${index}`, statements: [] }
    const { sid, effect, principals, actions, resources } = statement
    compiled.push({
      label: sid === undefined || sid === '' ? `#${index}` : sid,
      effect,
      ...(principals && { principals: compilePrincipals(principals) }),
      coversAction: compileActions(actions),
      coversResource:
        kind === 'trust' ? coversAny : compileResources(resources, { version, kind, effect }),
      holds: (context, work) => every(conditions, (holds) => holds(context, work)),
    })
  }
  const asksAliases = /kms:resourcealiases/i.test(JSON.stringify(statements))
  return { statements: compiled, ...(asksAliases && { asksAliases }) }
}

function compileConditions(
  { conditions }: Statement,
  version: PolicyLanguageVersion,
): readonly Predicate[] | undefined {
  const compiled = conditions.map((condition) => compileCondition(condition, version))
  const readable = compiled.filter((predicate) => predicate !== undefined)
  return readable.length === compiled.length ? readable : undefined
}

function compilePrincipals({ negated, entries }: Negatable<PolicyPrincipal>): CompiledPrincipals {
  const accounts = entries.flatMap((entry) => (entry.kind === 'account' ? [entry.accountId] : []))
  const arns = entries.flatMap((entry) => ('arn' in entry ? [entry.arn] : []))
  const everyone = entries.some(({ kind }) => kind === 'everyone')
  const named = (kind: 'service' | 'federated'): ReadonlySet<string> =>
    new Set(entries.flatMap((entry) => (entry.kind === kind ? [entry.name] : [])))
  return {
    negated,
    everyone,
    accounts: new Set(accounts),
    arns: new Set(arns),
    services: named('service'),
    federated: named('federated'),
  }
}

/** A statement without actions covers no action. */
function compileActions(actions: Negatable<string> | undefined): CompiledStatement['coversAction'] {
  if (actions === undefined || actions.entries.length === 0) return () => false
  const globs = actions.entries.map((entry) => compileGlob(piecesOf(entry.toLowerCase())))
  return (action, work) => globs.some((matches) => matches(action, work)) !== actions.negated
}
