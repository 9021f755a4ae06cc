/**
 * Parses an untrusted policy text into a typed document, or reports what is wrong with it. Everything
 * is bounded. An unknown element or operator is refused, never skipped.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
 * @module
 */
import type {
  Effect,
  Negatable,
  PolicyDocument,
  PolicyKind,
  PolicyPrincipal,
  PolicyLanguageVersion,
  Statement,
} from './document.ts'
import { PolicyFaultFound, type PolicyFault } from './malformed.ts'
import { readPrincipal } from './principals.ts'
import { readStrictJson } from './strict-json.ts'
import { countVariables, parseTemplate } from './template.ts'
import {
  organizationPolicyCharactersMax,
  requireOrganizationVersion,
  requireResourceControlForm,
} from './organization-form.ts'
import { requireTrustForm } from './trust-form.ts'
import { readConditions } from './validate-conditions.ts'
import { budget, members, refuse, spend, strings, textOf, type Reading } from './reading.ts'

/** Bytes of a policy in UTF-8. */
export const policyBytesMax = 32_768

const depthMax = 10

/** Tab, line feed, carriage return, and U+0020 to U+00FF, as in the service's model. */
const charactersPattern = /^[\t\n\r\u0020-\u00ff]*$/
const versions: readonly unknown[] = ['2008-10-17', '2012-10-17'] satisfies PolicyLanguageVersion[]
const identitySidPattern = /^[0-9A-Za-z]*$/
const identityActionPattern = /^(?:\*|[a-zA-Z0-9-]{1,64}:[^:]+)$/
const statementElements: readonly string[] =
  'Sid Effect Principal NotPrincipal Action NotAction Resource NotResource Condition'.split(' ')

export type PolicyResult =
  | { readonly ok: true; readonly document: PolicyDocument }
  | { readonly ok: false; readonly fault: PolicyFault }

/** Parses `text` as a policy of this kind. Never throws. */
export function readPolicy(text: string, kind: PolicyKind): PolicyResult {
  try {
    return { ok: true, document: readDocument(text, kind) }
  } catch (error) {
    if (error instanceof PolicyFaultFound) return { ok: false, fault: error.fault }
    const problem = error instanceof Error ? error.name : 'it cannot be read'
    return { ok: false, fault: { kind: 'structure', at: 'Policy', problem } }
  }
}

function readDocument(text: string, kind: PolicyKind): PolicyDocument {
  const bytes = Buffer.byteLength(text)
  if (bytes > policyBytesMax) {
    throw new PolicyFaultFound({ kind: 'size', bytes, bytesMax: policyBytesMax })
  }
  if (!charactersPattern.test(text)) throw new PolicyFaultFound({ kind: 'characters' })
  if (isOrganizations(kind) && text.length > organizationPolicyCharactersMax) {
    const charactersMax = organizationPolicyCharactersMax
    throw new PolicyFaultFound({ kind: 'length', characters: text.length, charactersMax })
  }
  const json = readStrictJson(text, depthMax)
  if (!json.ok) throw new PolicyFaultFound({ kind: 'json', why: json.why })
  const root = members(json.value, 'Policy', ['Version', 'Id', 'Statement'])
  if (isOrganizations(kind)) requireOrganizationVersion(root.get('Version'))
  const version = readVersion(root.get('Version'))
  const id = root.has('Id') ? textOf(root.get('Id'), 'Id') : undefined
  const statement = root.get('Statement')
  const items: readonly unknown[] = Array.isArray(statement) ? statement : [statement]
  const reading: Reading = { kind, version, left: { ...budget } }
  spend(reading, 'statements', items.length)
  if (items.length === 0) refuse('Statement', 'it is empty')
  const statements = items.map((item, index) => readStatement(item, `Statement.${index}`, reading))
  requireUniqueSids(statements, kind)
  return { version, ...(id !== undefined && { id }), statements }
}

function isOrganizations(kind: PolicyKind): boolean {
  return kind === 'service-control' || kind === 'resource-control'
}

function namesPrincipals(kind: PolicyKind): boolean {
  return kind !== 'identity' && kind !== 'service-control'
}

function readVersion(value: unknown): PolicyLanguageVersion {
  if (value === undefined) return '2008-10-17'
  if (!versions.includes(value)) refuse('Version', 'it is neither 2012-10-17 nor 2008-10-17')
  return value as PolicyLanguageVersion // checked above
}

function readStatement(value: unknown, at: string, reading: Reading): Statement {
  const given = members(value, at, statementElements)
  if (reading.kind === 'trust') requireTrustForm(given)
  if (reading.kind === 'resource-control') requireResourceControlForm(given, at)
  const sid = given.has('Sid') ? textOf(given.get('Sid'), `${at}.Sid`) : undefined
  const effect = readEffect(given.get('Effect'), at)
  const principals = readPrincipals(given, at, effect, reading)
  const actions = readPatterns(given, 'Action', at, reading)
  const resources = readPatterns(given, 'Resource', at, reading)
  if (reading.kind !== 'key' && reading.kind !== 'trust') {
    requireIdentityForm({ sid, actions, resources }, at)
  }
  const conditions = readConditions(given.get('Condition'), `${at}.Condition`, effect, reading)
  return {
    ...(sid !== undefined && { sid }),
    effect,
    ...(principals && { principals }),
    ...(actions && { actions }),
    ...(resources && { resources }),
    conditions,
  }
}

function readEffect(value: unknown, at: string): Effect {
  if (value !== 'Allow' && value !== 'Deny') refuse(`${at}.Effect`, 'it is neither Allow nor Deny')
  return value
}

/** `Action` or `NotAction`, `Resource` or `NotResource`; undefined when neither is present. */
function readPatterns(
  given: ReadonlyMap<string, unknown>,
  name: 'Action' | 'Resource',
  at: string,
  reading: Reading,
): Negatable<string> | undefined {
  const present = oneOfTwo(given, name, at)
  if (present === undefined) return undefined
  const entries = strings(given.get(present), `${at}.${present}`)
  spend(reading, 'actions and resources', entries.length)
  const variables = name === 'Resource' && reading.version === '2012-10-17'
  for (const entry of entries) {
    const parts = parseTemplate(entry, { variables, wildcards: true })
    if (parts === undefined)
      refuse(`${at}.${present}`, 'it holds a policy variable that does not end')
    spend(reading, 'policy variables', countVariables(parts))
  }
  return { negated: present !== name, entries }
}

function oneOfTwo(
  given: ReadonlyMap<string, unknown>,
  name: string,
  at: string,
): string | undefined {
  const opposite = `Not${name}`
  if (given.has(name) && given.has(opposite)) refuse(at, `it has both ${name} and ${opposite}`)
  return given.has(name) ? name : given.has(opposite) ? opposite : undefined
}

function readPrincipals(
  given: ReadonlyMap<string, unknown>,
  at: string,
  effect: Effect,
  reading: Reading,
): Negatable<PolicyPrincipal> | undefined {
  const present = oneOfTwo(given, 'Principal', at)
  if (!namesPrincipals(reading.kind)) {
    if (present !== undefined) refuse(at, 'such a policy names no principal')
    return undefined
  }
  if (present === undefined) return refusePrincipal(at)
  const negated = present === 'NotPrincipal'
  if (negated && effect === 'Allow') refuse(at, 'NotPrincipal needs the effect Deny')
  const value = given.get(present)
  const entries = value === '*' ? [everyone] : readPrincipalMap(value, `${at}.${present}`)
  spend(reading, 'principals', entries.length)
  return { negated, entries }
}

const everyone: PolicyPrincipal = { kind: 'everyone' }

function readPrincipalMap(value: unknown, at: string): readonly PolicyPrincipal[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refusePrincipal(at)
  const entries = Object.entries(value).flatMap(([type, listed]: [string, unknown]) => {
    const names: readonly unknown[] = Array.isArray(listed) ? listed : [listed]
    return names.map((name) => {
      if (typeof name !== 'string') return refusePrincipal(at)
      return readPrincipal(type, name) ?? refusePrincipal(at, { type, name })
    })
  })
  return entries.length === 0 ? refusePrincipal(at) : entries
}

function refusePrincipal(
  at: string,
  named?: { readonly type: string; readonly name: string },
): never {
  throw new PolicyFaultFound({ kind: 'principal', at, ...(named && { named }) })
}

function requireIdentityForm(
  statement: {
    readonly sid: string | undefined
    readonly actions: Negatable<string> | undefined
    readonly resources: Negatable<string> | undefined
  },
  at: string,
): void {
  const { sid = '', actions, resources } = statement
  if (!identitySidPattern.test(sid)) refuse(`${at}.Sid`, 'it holds more than letters and digits')
  if (actions === undefined || actions.entries.length === 0) refuse(at, 'it has no actions')
  if (resources === undefined || resources.entries.length === 0) refuse(at, 'it has no resources')
  if (!actions.entries.every((action) => identityActionPattern.test(action))) {
    refuse(`${at}.Action`, 'an action has no service prefix')
  }
  if (!resources.entries.every((entry) => entry === '*' || entry.startsWith('arn:'))) {
    refuse(`${at}.Resource`, 'a resource is neither an ARN nor a star')
  }
}

function requireUniqueSids(statements: readonly Statement[], kind: PolicyKind): void {
  if (kind === 'key') return
  const sids = statements.flatMap(({ sid }) => (sid === undefined || sid === '' ? [] : [sid]))
  if (new Set(sids).size < sids.length) refuse('Statement', 'two statements have the same Sid')
}
