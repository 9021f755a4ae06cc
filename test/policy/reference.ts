/**
 * A second evaluator for the tests: slow, recursive, straight from the written rules of authorization
 * (`kms` developer guide, IAM user guide), on plain JSON policies. It shares no code with the engine.
 * @module
 */
import { conditionHolds, like, resourcesCover, type PlainContext } from './reference-conditions.ts'

export interface PlainPrincipals {
  readonly AWS?: readonly string[]
  readonly Service?: readonly string[]
}
export interface PlainStatement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Principal?: '*' | PlainPrincipals
  readonly NotPrincipal?: PlainPrincipals
  readonly Action?: readonly string[]
  readonly NotAction?: readonly string[]
  readonly Resource?: readonly string[]
  readonly NotResource?: readonly string[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
}
export interface PlainPolicy {
  readonly Version: string
  readonly Statement: readonly PlainStatement[]
}
export interface PlainCaller {
  readonly kind: 'root' | 'user' | 'assumed-role' | 'federated-user' | 'infrastructure' | 'service'
  readonly accountId: string
  readonly arn: string
  /** Of the role, or the user, that is behind a session. */
  readonly roleArn?: string
  readonly roleId?: string
  readonly uniqueId: string
  /** Of a service in its own name. */
  readonly service?: {
    readonly name: string
    readonly regionalName: string
    readonly region: string
  }
}
export interface PlainConstraints {
  readonly EncryptionContextEquals?: Readonly<Record<string, string>>
  readonly EncryptionContextSubset?: Readonly<Record<string, string>>
  readonly SourceArn?: string
}
export interface PlainNewGrant {
  readonly operations: readonly string[]
  readonly constraints?: PlainConstraints
}
export interface PlainGrant {
  readonly granteePrincipal?: string
  readonly granteeServicePrincipal?: string
  readonly retiringPrincipal?: string
  readonly retiringServicePrincipal?: string
  readonly constraints?: PlainConstraints
  readonly operations: readonly string[]
  readonly issuingAccountId: string
}
export interface PlainRequest {
  readonly caller: PlainCaller
  readonly action: string
  readonly resourceArn: string
  readonly owner: string
  readonly context: PlainContext
  readonly uniqueIds: Readonly<Record<string, string>>
  readonly keyPolicy: PlainPolicy | undefined
  readonly identity: readonly PlainPolicy[]
  readonly boundary: PlainPolicy | undefined
  readonly session: readonly PlainPolicy[] | undefined
  readonly grants: readonly PlainGrant[]
  /** Of the caller's account, level by level. */
  readonly serviceControl: readonly (readonly PlainPolicy[])[]
  /** Of the key's. */
  readonly resourceControl: readonly PlainPolicy[]
  readonly encryptionContext: Readonly<Record<string, string>>
  /** What `kms:CreateGrant` is to make. */
  readonly requestedGrant: PlainNewGrant
}

/** True when the request is allowed. */
export function referenceAllows(request: PlainRequest): boolean {
  return organizationsLetPass(request) && accountsAllow(request)
}

/** Each level of the caller's organisation allows, nothing there denies, and nothing of the key's does. */
function organizationsLetPass(request: PlainRequest): boolean {
  const { serviceControl, resourceControl, caller, action } = request
  if (caller.roleArn?.includes(':role/aws-service-role/')) return true
  const principal = ['root', 'user', 'assumed-role', 'federated-user'].includes(caller.kind)
  const levelsAllow = serviceControl.every((policies) =>
    policies.some((policy) => says(policy, 'Allow', request)),
  )
  const callerDenied = serviceControl.flat().some((policy) => says(policy, 'Deny', request))
  const keyDenied =
    action !== 'kms:RetireGrant' && resourceControl.some((policy) => says(policy, 'Deny', request))
  return (!principal || (levelsAllow && !callerDenied)) && !keyDenied
}

function accountsAllow(request: PlainRequest): boolean {
  const { keyPolicy, identity, boundary, session } = request
  const attached = [...identity, ...(boundary ? [boundary] : []), ...(session ?? [])]
  if (attached.some((policy) => says(policy, 'Deny', request))) return false
  if (keyPolicy && keyWords(keyPolicy, 'Deny', request).size > 0) return false
  if (request.caller.service !== undefined) return serviceMay(request)
  const boundaryAllows = !boundary || says(boundary, 'Allow', request)
  const sessionAllows = !session || session.some((policy) => says(policy, 'Allow', request))
  const identityAllows =
    request.caller.kind === 'root' || identity.some((policy) => says(policy, 'Allow', request))
  const accountAllows = identityAllows && boundaryAllows && sessionAllows
  const { accountId } = request.caller
  const same = accountId === request.owner
  if (keyPolicy === undefined) return same && accountAllows
  const standing = { same, accountAllows, limited: !boundaryAllows || !sessionAllows }
  if (request.action === 'kms:RetireGrant') return mayRetire(request, standing)
  const words = keyWords(keyPolicy, 'Allow', request)
  if (!same && !givenAway.includes(request.action)) return false
  if (same && words.has('itself')) return true
  if (same && words.has('role') && boundaryAllows && sessionAllows) return true
  if (words.size > 0 && (!same || words.has('account')) && accountAllows) return true
  return request.grants.some(
    (grant) => gives(grant, request) && mayAs(grant.granteePrincipal, grant, request, standing),
  )
}

/** A service has what a key's policy and grants give to its name: to use the key, and to read of it. */
function serviceMay(request: PlainRequest): boolean {
  const { action, keyPolicy, grants, caller } = request
  const { name = '', regionalName = '' } = caller.service ?? {}
  const grantee = (grant: PlainGrant): string | undefined =>
    grant.granteeServicePrincipal ?? grant.granteePrincipal
  const isMe = (text: string | undefined): boolean => text === name || text === regionalName
  if (keyPolicy === undefined) return false
  if (action === 'kms:RetireGrant') {
    return grants.some(
      (grant) =>
        isMe(grant.retiringServicePrincipal ?? grant.retiringPrincipal) ||
        (isMe(grantee(grant)) && gives(grant, request)),
    )
  }
  const reads = ['Describe', 'Get', 'List'].some((verb) => action.startsWith(`kms:${verb}`))
  if (!reads && !givenAway.includes(action)) return false
  if (keyWords(keyPolicy, 'Allow', request).has('itself')) return true
  return grants.some((grant) => isMe(grantee(grant)) && gives(grant, request))
}

interface Standing {
  readonly same: boolean
  readonly accountAllows: boolean
  /** A boundary or the session's policies do not allow. */
  readonly limited: boolean
}

/** Whether a grant gives the action to whoever its grantee is. */
function gives(grant: PlainGrant, request: PlainRequest): boolean {
  const { action, context, encryptionContext } = request
  if (!grant.operations.map((name) => `kms:${name}`).includes(action)) return false
  if (action === 'kms:RetireGrant') return true
  const { SourceArn } = grant.constraints ?? {}
  const source = context['aws:sourcearn']
  if (SourceArn !== undefined && (source?.length !== 1 || source[0] !== SourceArn)) return false
  if (action === 'kms:DescribeKey') return true
  if (action === 'kms:CreateGrant') return givesAway(grant, request.requestedGrant)
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } =
    grant.constraints ?? {}
  const given = Object.entries(encryptionContext)
  const has = (wanted: Readonly<Record<string, string>>): boolean =>
    Object.entries(wanted).every(([name, value]) =>
      given.some((pair) => pair[0] === name && pair[1] === value),
    )
  if (equals !== undefined && !(has(equals) && Object.keys(equals).length === given.length)) {
    return false
  }
  return subset === undefined || has(subset)
}

/** A child has no operation that its parent has not, and every constraint of it, or a stricter one. */
function givesAway({ operations, constraints = {} }: PlainGrant, child: PlainNewGrant): boolean {
  if (child.operations.some((name) => !operations.includes(name))) return false
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = constraints
  const asked = child.constraints ?? {}
  if (constraints.SourceArn !== undefined && constraints.SourceArn !== asked.SourceArn) return false
  const written = (pairs: Readonly<Record<string, string>> | undefined): readonly string[] =>
    Object.entries(pairs ?? {}).map(([name, value]) => `${name}=${value}`)
  if (equals !== undefined) {
    if (asked.EncryptionContextEquals === undefined) return false
    const kept = written(asked.EncryptionContextEquals).toSorted().join()
    return written(equals).toSorted().join() === kept
  }
  const bound = written(asked.EncryptionContextEquals ?? asked.EncryptionContextSubset)
  return written(subset).every((pair) => bound.includes(pair))
}

/** Whether the caller may as the principal that a grant names. */
function mayAs(
  principal: string | undefined,
  grant: PlainGrant,
  { caller }: PlainRequest,
  { same, accountAllows, limited }: Standing,
): boolean {
  if (principal === undefined) return false
  if (principal === `arn:aws:iam::${caller.accountId}:root`) {
    return accountAllows && caller.kind !== 'infrastructure'
  }
  // Infrastructure is named by what is its unique id, never by its ARN.
  const name = caller.kind === 'infrastructure' ? caller.uniqueId : caller.arn
  const itself = caller.kind !== 'root' && principal === name
  const role = principal === caller.roleArn
  if (!itself && !role) return false
  if (!same && grant.issuingAccountId !== caller.accountId) return accountAllows
  return itself || !limited
}

/** The retiring principal, the grantee that was given RetireGrant, and the account that issued it. */
function mayRetire(request: PlainRequest, standing: Standing): boolean {
  return request.grants.some((grant) => {
    if (mayAs(grant.retiringPrincipal, grant, request, standing)) return true
    if (gives(grant, request) && mayAs(grant.granteePrincipal, grant, request, standing))
      return true
    return grant.issuingAccountId === request.caller.accountId && standing.accountAllows
  })
}

const givenAway = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncryptFrom',
  'kms:DescribeKey',
  'kms:CreateGrant',
  'kms:RetireGrant',
]

function says(policy: PlainPolicy, effect: string, request: PlainRequest): boolean {
  return policy.Statement.some(
    (statement) => statement.Effect === effect && applies(policy, statement, request, false),
  )
}

/** Under which names the key policy's statements of that effect mean the caller. */
function keyWords(policy: PlainPolicy, effect: string, request: PlainRequest): ReadonlySet<string> {
  const words = new Set<string>()
  for (const statement of policy.Statement) {
    if (statement.Effect !== effect || !applies(policy, statement, request, true)) continue
    for (const word of principalWords(statement, request)) words.add(word)
  }
  return words
}

function principalWords(statement: PlainStatement, request: PlainRequest): readonly string[] {
  const { caller, uniqueIds } = request
  // Only grants let infrastructure in.
  if (caller.kind === 'infrastructure' && statement.Effect === 'Allow') return []
  if (statement.Principal === '*') return ['itself']
  if (caller.service !== undefined) return serviceWords(statement, caller.service)
  const roleId = caller.roleId ?? caller.uniqueId.split(':')[0] ?? ''
  const names = [
    {
      word: 'account',
      written: [caller.accountId, `arn:aws:iam::${caller.accountId}:root`],
      id: '',
    },
    ...(caller.kind === 'root'
      ? []
      : [
          {
            word: 'itself',
            written: [caller.kind === 'infrastructure' ? caller.uniqueId : caller.arn],
            id: caller.uniqueId,
          },
        ]),
    ...(caller.roleArn === undefined || caller.kind === 'infrastructure'
      ? []
      : [{ word: 'role', written: [caller.roleArn], id: roleId }]),
  ]
  const listed = (statement.Principal ?? statement.NotPrincipal)?.AWS ?? []
  const meant = (name: (typeof names)[number], unknown: boolean): boolean =>
    name.written.some((written) => {
      if (!listed.includes(written)) return false
      if (name.word === 'account') return true
      const known = uniqueIds[written]
      return known === undefined ? unknown : known === name.id
    })
  // Whoever has a permissions boundary is excepted by no list.
  if (statement.NotPrincipal !== undefined && request.boundary !== undefined) return ['itself']
  if (statement.NotPrincipal !== undefined) {
    if (listed.includes('*')) return []
    return names.every((name) => meant(name, false)) ? [] : ['itself']
  }
  if (listed.includes('*')) return ['itself']
  return names.filter((name) => meant(name, statement.Effect === 'Deny')).map(({ word }) => word)
}

function serviceWords(
  { Principal, NotPrincipal }: PlainStatement,
  { name, regionalName }: { readonly name: string; readonly regionalName: string },
): readonly string[] {
  const written = NotPrincipal ?? (Principal === '*' ? { AWS: ['*'] } : Principal)
  const services = written?.Service ?? []
  const meant =
    written?.AWS?.includes('*') === true ||
    [name, regionalName].some((one) => services.includes(one))
  return meant === (NotPrincipal === undefined) ? ['itself'] : []
}

function applies(
  policy: PlainPolicy,
  statement: PlainStatement,
  request: PlainRequest,
  ofKey: boolean,
): boolean {
  const { action, context } = request
  const variables = policy.Version === '2012-10-17'
  const deny = statement.Effect === 'Deny'
  const actions = (statement.Action ?? statement.NotAction ?? []).map((name) => name.toLowerCase())
  const resources = statement.Resource ?? statement.NotResource ?? []
  if (actions.length === 0 || resources.length === 0) return false
  const act = actions.some((name) => like(name.split(''), action.toLowerCase()))
  if (act === (statement.NotAction !== undefined)) return false
  const setting = { variables, deny, context }
  const covers = resourcesCover(statement, request.resourceArn, ofKey, setting)
  if (!covers) return false
  return Object.entries(statement.Condition ?? {}).every(([operator, block]) =>
    Object.entries(block).every(([key, values]) =>
      conditionHolds(operator, context[key.toLowerCase()], values, { variables, deny, context }),
    ),
  )
}
