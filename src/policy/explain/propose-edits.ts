/**
 * Proposes changes that could reverse a decision. It fixes what the engine names as denying or missing,
 * one after the other, until the engine allows. It tries several ways, because a permission can be
 * given in several places.
 * @module
 */
import { grantOperations } from '../../model/grant.ts'
import { authorize } from '../authorize.ts'
import { roleArnOf } from '../caller-names.ts'
import type { AuthorizationRequest, Decision, Reason } from '../decision.ts'
import { findIn } from '../findings.ts'
import {
  addedGrantId,
  applyEdit,
  isSamePlace,
  placedPolicies,
  statementsOf,
  type Edit,
  type PolicyPlace,
  type Spoken,
  type WrittenStatement,
} from './policy-edits.ts'
import { speaking } from './speaking.ts'
import { newWork } from '../work.ts'

/** Where to add a missing permission. */
type Way = 'policies' | 'key-policy' | 'session' | 'grant'

/** The limit on edits. More would mean fixing a policy's statements one by one. */
const editsMax = 64

/** A break between decisions, because each may take its whole work limit. */
export type Pause = () => Promise<void>

/** The ways to an Allow, starting with those that affect other callers least. */
export async function proposeAllow(
  request: AuthorizationRequest,
  spoken: Spoken,
  pause: Pause,
): Promise<readonly (readonly Edit[])[]> {
  const ways: readonly Way[] = ['policies', 'key-policy', 'session', 'grant']
  const found: (readonly Edit[])[] = []
  for (const way of ways) {
    const edits = await mend(request, spoken, way, pause)
    if (edits !== undefined) found.push(edits)
  }
  return found
}

async function mend(
  request: AuthorizationRequest,
  spoken: Spoken,
  way: Way,
  pause: Pause,
): Promise<readonly Edit[] | undefined> {
  const edits: Edit[] = []
  let present = spoken
  while (edits.length < editsMax) {
    await pause()
    const asked = { ...request, work: newWork() }
    const decision = authorize(asked, present.policies, present.grants)
    if (decision.errors.length > 0) return undefined
    if (decision.decision === 'allow') return edits
    const [reason] = decision.reasons
    const edit = reason && editFor(reason, asked, present, way)
    if (edit === undefined || edits.some((made) => isSame(made, edit))) return undefined
    edits.push(edit)
    present = applyEdit(edit, present)
  }
  return undefined
}

/** Edits that did not help are not tried again. */
function isSame(one: Edit, other: Edit): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function editFor(
  reason: Reason,
  request: AuthorizationRequest,
  spoken: Spoken,
  way: Way,
): Edit | undefined {
  if (reason.effect === 'explicit-deny') return lift(reason, request, spoken)
  if (reason.policy === 'service-control') return addToLevel(request, spoken)
  if (spoken.policies.identityOnly || reason.policy === 'resource-control') {
    return reason.policy === 'resource-control' ? undefined : give(reason.policy, request, spoken)
  }
  // A grant to another account's caller may also need that account's permission.
  const granted = spoken.grants.some(({ grantId }) => grantId === addedGrantId)
  if (way === 'grant' && !granted) return addGrant(request)
  if (reason.policy === 'resource' || way === 'key-policy' || way === 'session') {
    const direct = nameOf(request, way === 'session')
    return addToKeyPolicy(request, direct)
  }
  return give(reason.policy, request, spoken)
}

/** Adds a missing permission in the caller's own account. */
function give(
  policy: Reason['policy'],
  request: AuthorizationRequest,
  { policies }: Spoken,
): Edit | undefined {
  const { action, resource } = request
  const statement = { Effect: 'Allow', Action: action, Resource: resource.arn }
  if (policy === 'identity') return { edit: 'add-statement', in: { policy }, statement }
  if (policy !== 'boundary' && policy !== 'session') return undefined
  const place = placedPolicies(policies).find(({ at }) => at.policy === policy)
  if (place === undefined) return { edit: 'add-statement', in: { policy }, statement }
  return { edit: 'add-statement', in: place.at, statement }
}

/** Adds to the first level of the organisation that does not allow. */
function addToLevel(request: AuthorizationRequest, { policies }: Spoken): Edit | undefined {
  const levels = policies.serviceControl ?? []
  const level = levels.findIndex(
    (each) => !each.some((policy) => findIn(policy, request).allow.session !== undefined),
  )
  const place = placedPolicies(policies).findLast(
    ({ at }) => at.policy === 'service-control' && at.level === level,
  )
  if (place === undefined) return undefined
  const statement = { Effect: 'Allow', Action: request.action, Resource: request.resource.arn }
  return { edit: 'add-statement', in: place.at, statement }
}

interface Named {
  readonly arn: string
  readonly uniqueId?: string
}

/**
 * The name of the caller for a key policy or a grant: a session's role, unless the session alone is
 * meant.
 */
function nameOf({ caller }: AuthorizationRequest, alone: boolean): Named {
  const role = roleArnOf(caller)
  if (role !== undefined && !alone) {
    const [uniqueId = ''] = caller.uniqueId.split(':')
    return { arn: role, uniqueId }
  }
  return caller.kind === 'root'
    ? { arn: caller.arn }
    : { arn: caller.arn, uniqueId: caller.uniqueId }
}

function addToKeyPolicy({ action }: AuthorizationRequest, { arn, uniqueId }: Named): Edit {
  return {
    edit: 'add-statement',
    in: { policy: 'resource', index: 0 },
    statement: { Effect: 'Allow', Principal: { AWS: arn }, Action: action, Resource: '*' },
    ...(uniqueId !== undefined && { principalId: uniqueId }),
  }
}

const grantable: ReadonlySet<string> = new Set(grantOperations)

/** A grant of the action alone. For retiring, it names the caller as the retiring principal. */
function addGrant(request: AuthorizationRequest): Edit | undefined {
  const [, operation = ''] = request.action.split(':')
  if (!grantable.has(operation) || operation === 'CreateGrant') return undefined
  const { arn, uniqueId } = nameOf(request, false)
  const grantee = { granteePrincipal: arn, ...(uniqueId !== undefined && { granteeId: uniqueId }) }
  return { edit: 'add-grant', grant: { ...grantee, operations: [operation] } }
}

/** Exempts the caller from a statement that denies it, or removes the statement when that does not help. */
function lift(reason: Reason, request: AuthorizationRequest, spoken: Spoken): Edit | undefined {
  const found = speaking(request, spoken).find(
    ({ in: { policy }, effect }) => policy === reason.policy && effect === 'Deny',
  )
  if (found === undefined) return undefined
  const { in: at, label, position } = found
  const written = writtenStatement(at, position, spoken)
  if (written === undefined) return undefined
  const statement = exceptCaller(written, request)
  const narrow: Edit | undefined = statement && {
    edit: 'replace-statement',
    in: at,
    position,
    label,
    statement,
  }
  if (narrow !== undefined && !stillDenies(applyEdit(narrow, spoken), request, at, position)) {
    return narrow
  }
  return { edit: 'remove-statement', in: at, position, label }
}

function writtenStatement(
  wanted: PolicyPlace,
  position: number,
  { policies }: Spoken,
): WrittenStatement | undefined {
  const place = placedPolicies(policies).find(({ at }) => isSamePlace(at, wanted))
  const text = place?.compiled.text
  if (text === undefined) return undefined
  return statementsOf(JSON.parse(text) as Readonly<Record<string, unknown>>)[position]
}

function stillDenies(
  spoken: Spoken,
  request: AuthorizationRequest,
  at: PolicyPlace,
  position: number,
): boolean {
  return speaking(request, spoken).some(
    (each) => isSamePlace(each.in, at) && each.position === position,
  )
}

/** The statement with the caller exempt; undefined when the caller has no ARN to exempt. */
function exceptCaller(
  statement: WrittenStatement,
  { context }: AuthorizationRequest,
): WrittenStatement | undefined {
  const [arn] = context.get('aws:principalarn') ?? []
  if (arn === undefined) return undefined
  const Condition = (statement['Condition'] ?? {}) as Readonly<Record<string, unknown>>
  const block = (Condition['ArnNotEquals'] ?? {}) as Readonly<Record<string, unknown>>
  const [name = 'aws:PrincipalArn'] = Object.keys(block).filter(
    (key) => key.toLowerCase() === 'aws:principalarn',
  )
  const before = [block[name] ?? []].flat()
  const values = [...before, arn]
  return {
    ...statement,
    Condition: {
      ...Condition,
      ArnNotEquals: { ...block, [name]: values.length === 1 ? arn : values },
    },
  }
}

/** The ways to a Deny: revoking the grant that allows, or denying the caller alone. */
export function proposeDeny(
  request: AuthorizationRequest,
  { policies }: Spoken,
  { reasons }: Decision,
): readonly (readonly Edit[])[] {
  const granted = reasons.flatMap(({ policy, statement }): Edit[] =>
    policy === 'grant' && statement !== undefined
      ? [{ edit: 'revoke-grant', grantId: statement }]
      : [],
  )
  const ways = [
    ...granted.map((edit) => [edit]),
    [denyCaller(request, policies.resource !== undefined)],
  ]
  return ways.filter((way) =>
    way.every((edit) => edit !== undefined),
  ) as readonly (readonly Edit[])[]
}

function denyCaller(
  { caller, action, resource, context }: AuthorizationRequest,
  onKey: boolean,
): Edit | undefined {
  const [arn] = context.get('aws:principalarn') ?? []
  if (onKey) {
    if (arn === undefined) return undefined
    const Condition = { ArnEquals: { 'aws:PrincipalArn': arn } }
    const statement = { Effect: 'Deny', Principal: '*', Action: action, Resource: '*', Condition }
    return { edit: 'add-statement', in: { policy: 'resource', index: 0 }, statement }
  }
  // Nothing in its own account limits a root user.
  if (caller.kind === 'root') return undefined
  const statement = { Effect: 'Deny', Action: action, Resource: resource.arn }
  return { edit: 'add-statement', in: { policy: 'identity' }, statement }
}
