/**
 * Single changes to the policies and grants of a request: to a statement of a policy, or to a grant.
 * Each changes the policy's text as its author would, and compiles it again.
 * @module
 */
import { compilePolicy, type CompiledPolicy } from '../compile.ts'
import type { Grant, Policies } from '../decision.ts'
import type { PolicyKind } from '../document.ts'

/** A statement as written. */
export type WrittenStatement = Readonly<Record<string, unknown>>

/** Identifies a policy among those of a request. Identities, sessions and organisations have several. */
export interface PolicyPlace {
  readonly policy:
    | 'identity'
    | 'resource'
    | 'boundary'
    | 'session'
    | 'service-control'
    | 'resource-control'
  /** The policy's name, if it has one. */
  readonly source?: string
  /** The index among policies of its kind, from 0; absent for a policy that the edit creates. */
  readonly index?: number
  /** For a service control policy: the level of the organisation, from 0. */
  readonly level?: number
}

export type Edit =
  | {
      readonly edit: 'add-statement'
      readonly in: PolicyPlace
      readonly statement: WrittenStatement
      /** In a key policy: the unique id behind the principal's ARN. */
      readonly principalId?: string
    }
  /** Replaces the statement at `position` with `statement`. */
  | {
      readonly edit: 'replace-statement'
      readonly in: PolicyPlace
      readonly position: number
      readonly label: string
      readonly statement: WrittenStatement
    }
  | {
      readonly edit: 'remove-statement'
      readonly in: PolicyPlace
      readonly position: number
      readonly label: string
    }
  | { readonly edit: 'add-grant'; readonly grant: Omit<Grant, 'grantId'> }
  | { readonly edit: 'revoke-grant'; readonly grantId: string }

/** The id of a grant that an edit adds. No real grant has such an id. */
export const addedGrantId = 'added'

/** All policies and grants for a request. */
export interface Spoken {
  readonly policies: Policies
  readonly grants: readonly Grant[]
}

const kinds: Readonly<Record<PolicyPlace['policy'], PolicyKind>> = {
  identity: 'identity',
  boundary: 'identity',
  session: 'identity',
  resource: 'key',
  'service-control': 'service-control',
  'resource-control': 'resource-control',
}

export interface PlacedPolicy {
  readonly at: PolicyPlace
  readonly compiled: CompiledPolicy
}

/** Every policy with its position. Policies of one kind are in order. */
export function placedPolicies(policies: Policies): readonly PlacedPolicy[] {
  const listed = (
    policy: PolicyPlace['policy'],
    list: readonly CompiledPolicy[] = [],
    more: { readonly level?: number } = {},
  ): readonly PlacedPolicy[] =>
    list.map((compiled, index) => {
      const { source } = compiled
      return { at: { policy, index, ...more, ...(source !== undefined && { source }) }, compiled }
    })
  const { identity, boundary, session, resource, serviceControl = [], resourceControl } = policies
  return [
    ...listed('identity', identity),
    ...listed('boundary', boundary && [boundary]),
    ...listed('session', session),
    ...serviceControl.flatMap((level, number) =>
      listed('service-control', level, { level: number }),
    ),
    ...listed('resource-control', resourceControl),
    ...listed('resource', resource && [resource]),
  ]
}

export function isSamePlace(one: PolicyPlace, other: PolicyPlace): boolean {
  return one.policy === other.policy && one.index === other.index && one.level === other.level
}

/** The policies and grants after the change. */
export function applyEdit(edit: Edit, { policies, grants }: Spoken): Spoken {
  if (edit.edit === 'add-grant') {
    return { policies, grants: [...grants, { grantId: addedGrantId, ...edit.grant }] }
  }
  if (edit.edit === 'revoke-grant') {
    return { policies, grants: grants.filter(({ grantId }) => grantId !== edit.grantId) }
  }
  return { policies: withStatement(edit, policies), grants }
}

type StatementEdit = Extract<Edit, { readonly in: PolicyPlace }>

function withStatement(edit: StatementEdit, policies: Policies): Policies {
  const { policy, index, level } = edit.in
  const place = placedPolicies(policies).find(({ at }) => isSamePlace(at, edit.in))
  const compiled = edited(edit, place?.compiled)
  const put = (list: readonly CompiledPolicy[] = []): readonly CompiledPolicy[] =>
    index === undefined ? [...list, compiled] : list.with(index, compiled)
  if (policy === 'identity') return { ...policies, identity: put(policies.identity) }
  if (policy === 'session') return { ...policies, session: put(policies.session) }
  if (policy === 'boundary') return { ...policies, boundary: compiled }
  if (policy === 'resource-control') {
    return { ...policies, resourceControl: put(policies.resourceControl) }
  }
  if (policy === 'service-control') {
    const levels = policies.serviceControl ?? []
    return { ...policies, serviceControl: levels.with(level ?? 0, put(levels[level ?? 0])) }
  }
  return { ...policies, resource: compiled, ...namedPrincipals(edit, policies) }
}

/**
 * The unique ids of a key policy's principals, including a new one: they are stored when the policy is
 * written.
 */
function namedPrincipals(
  edit: StatementEdit,
  { resourcePrincipals = {} }: Policies,
): Pick<Policies, 'resourcePrincipals'> {
  if (edit.edit !== 'add-statement' || edit.principalId === undefined) return {}
  const { AWS } = (edit.statement['Principal'] ?? {}) as { readonly AWS?: unknown }
  return typeof AWS === 'string'
    ? { resourcePrincipals: { ...resourcePrincipals, [AWS]: edit.principalId } }
    : {}
}

function edited(edit: StatementEdit, before: CompiledPolicy | undefined): CompiledPolicy {
  const { source, text = '{"Version":"2012-10-17","Statement":[]}' } = before ?? {}
  const document = JSON.parse(text) as Readonly<Record<string, unknown>>
  const statements = [...statementsOf(document)]
  if (edit.edit === 'add-statement') statements.push(edit.statement)
  else if (edit.edit === 'remove-statement') statements.splice(edit.position, 1)
  else statements.splice(edit.position, 1, edit.statement)
  const written = JSON.stringify({ ...document, Statement: statements })
  const compiled = compilePolicy(written, kinds[edit.in.policy])
  return { ...compiled, ...(source !== undefined && { source }) }
}

/** The statements of a document that was parsed before. */
export function statementsOf(
  document: Readonly<Record<string, unknown>>,
): readonly WrittenStatement[] {
  return [document['Statement']].flat() as WrittenStatement[]
}
