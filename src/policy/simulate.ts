/**
 * Simulates a request: the engine's decision, and each statement that contributed to it.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
 * @module
 */
import { authorize } from './authorize.ts'
import type { Caller } from '../model/caller.ts'
import type { PrincipalFacts } from './caller-names.ts'
import { compileDocument, type CompiledPolicy, type CompiledStatement } from './compile.ts'
import type { AuthorizationRequest, Policies } from './decision.ts'
import { askStatement, takesEffect } from './findings.ts'
import type { PolicyDocument, PolicyKind, Statement } from './document.ts'
import { statementRanges, type StatementRange } from './statement-ranges.ts'
import type { Work } from './work.ts'

/** A policy that takes part in a simulation. */
export interface SimulatedPolicy {
  readonly id: string
  readonly type: 'user' | 'group' | 'role' | 'user-managed' | 'aws-managed' | 'resource' | 'none'
  readonly document: PolicyDocument
  readonly policy: CompiledPolicy
  readonly ranges: readonly StatementRange[]
}

export interface Simulation {
  readonly identity: readonly SimulatedPolicy[]
  /** The boundary. AWS accepts one. */
  readonly boundary?: SimulatedPolicy
  readonly resource?: SimulatedPolicy
  /** Service control policies, by level. */
  readonly organization?: readonly (readonly SimulatedPolicy[])[]
}

export interface MatchedStatement {
  readonly policy: SimulatedPolicy
  readonly range: StatementRange | undefined
}

export interface Simulated {
  readonly decision: 'allowed' | 'explicitDeny' | 'implicitDeny'
  readonly matched: readonly MatchedStatement[]
  /** Condition keys that the request lacks, of statements that could matter. */
  readonly missing: readonly string[]
  /** Present when there is a boundary. */
  readonly allowedByBoundary?: boolean
  /** Present when there is an organisation. */
  readonly allowedByOrganization?: boolean
}

/** @param document the parsed `text`, of its kind */
export function simulatedPolicy(
  id: string,
  type: SimulatedPolicy['type'],
  text: string,
  document: PolicyDocument,
  kind: PolicyKind,
): SimulatedPolicy {
  return {
    id,
    type,
    document,
    policy: compileDocument(document, kind),
    ranges: statementRanges(text),
  }
}

type Posed = Omit<AuthorizationRequest, 'caller'> & { readonly work: Work }

/** Simulates one request after the other, all of the same caller. */
export function simulator(simulation: Simulation, caller: Caller): (posed: Posed) => Simulated {
  const { identity, boundary, resource, organization = [] } = simulation
  // A simulation's ARNs have no principals behind them, so each ARN is its own unique id.
  const uniqueIds = Object.fromEntries(
    arnsOf(resource).map((arn) => [arn, arn === caller.arn ? caller.uniqueId : arn]),
  )
  const policies: Policies = {
    identity: identity.map(({ policy }) => policy),
    ...(boundary && { boundary: boundary.policy }),
    ...(resource && { resource: resource.policy, resourcePrincipals: uniqueIds }),
    identityOnly: resource === undefined,
    serviceControl: organization.map((level) => level.map(({ policy }) => policy)),
  }
  const limits = [...(boundary ? [boundary] : []), ...organization.flat()]
  const all = [...identity, ...(resource ? [resource] : []), ...limits]
  const facts = { uniqueIds, bounded: boundary !== undefined }
  return (posed) => {
    const request = { ...posed, caller }
    const { decision } = authorize(request, policies, [])
    const asked = all.flatMap((policy) => askStatements(policy, request, facts))
    return simulatedOf(decision === 'allow', asked, request, simulation)
  }
}

function simulatedOf(
  allowed: boolean,
  asked: readonly Asked[],
  { context }: AuthorizationRequest,
  { boundary, organization = [] }: Simulation,
): Simulated {
  const denied = asked.filter(({ statement, holds }) => holds && statement.effect === 'Deny')
  const allows = asked.filter(({ statement, holds }) => holds && statement.effect === 'Allow')
  const allowing = new Set(allows.map(({ policy }) => policy))
  const organizations = new Set(organization.flat())
  const giving = allows.filter(({ policy }) => !organizations.has(policy))
  const matched = allowed ? giving : denied
  const missing = new Set(
    asked.flatMap(({ source }) =>
      source.conditions.flatMap(({ key }) => (context.has(key) ? [] : [key])),
    ),
  )
  return {
    decision: allowed ? 'allowed' : denied.length > 0 ? 'explicitDeny' : 'implicitDeny',
    matched: matched.map(({ policy, index }) => ({ policy, range: policy.ranges[index] })),
    missing: [...missing].toSorted(),
    ...(boundary && { allowedByBoundary: allowing.has(boundary) }),
    ...(organization.length > 0 && {
      allowedByOrganization:
        organization.every((level) => level.some((policy) => allowing.has(policy))) &&
        !denied.some(({ policy }) => organizations.has(policy)),
    }),
  }
}

interface Asked {
  readonly policy: SimulatedPolicy
  readonly index: number
  readonly statement: CompiledStatement
  readonly source: Statement
  readonly holds: boolean
}

/** The statements that cover the caller, the action and the resource. */
function askStatements(
  policy: SimulatedPolicy,
  request: AuthorizationRequest & { readonly work: Work },
  facts: PrincipalFacts,
): readonly Asked[] {
  return policy.policy.statements.flatMap((statement, index) => {
    const source = policy.document.statements[index]
    const covering = askStatement(statement, request, facts, request.work)
    if (source === undefined || covering === undefined) return []
    return [{ policy, index, statement, source, holds: takesEffect(covering, statement) }]
  })
}

function arnsOf(resource: SimulatedPolicy | undefined): readonly string[] {
  return (resource?.document.statements ?? []).flatMap(({ principals }) =>
    (principals?.entries ?? []).flatMap((entry) => ('arn' in entry ? [entry.arn] : [])),
  )
}

/** Every key that the conditions and policy variables of a policy use, in lower case. */
export function contextKeysOf({ statements }: PolicyDocument): readonly string[] {
  const keys = new Set<string>()
  for (const { conditions, resources } of statements) {
    for (const { key, values } of conditions) {
      keys.add(key)
      for (const value of values) addVariables(value, keys)
    }
    for (const entry of resources?.entries ?? []) addVariables(entry, keys)
  }
  return [...keys].toSorted()
}

function addVariables(text: string, keys: Set<string>): void {
  for (const [, name = ''] of text.matchAll(/\$\{([^{}]{1,256})\}/g)) {
    const [key = ''] = name.split(',')
    // `${*}`, `${?}` and `${$}` are escaped characters.
    if (key.includes(':')) keys.add(key.trim().toLowerCase())
  }
}
