/**
 * A second evaluator for the tests: slow, recursive, straight from the written rules of authorization
 * (`kms` developer guide, IAM user guide), on plain JSON policies. It shares no code with the engine.
 * @module
 */

export interface PlainStatement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Principal?: '*' | { readonly AWS: readonly string[] }
  readonly NotPrincipal?: { readonly AWS: readonly string[] }
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
  readonly kind: 'root' | 'user' | 'assumed-role' | 'federated-user'
  readonly accountId: string
  readonly arn: string
  /** Of the role, or the user, that is behind a session. */
  readonly roleArn?: string
  readonly roleId?: string
  readonly uniqueId: string
}
export interface PlainConstraints {
  readonly EncryptionContextEquals?: Readonly<Record<string, string>>
  readonly EncryptionContextSubset?: Readonly<Record<string, string>>
}
export interface PlainGrant {
  readonly granteePrincipal: string
  readonly retiringPrincipal?: string
  readonly constraints?: PlainConstraints
  readonly operations: readonly string[]
  readonly issuingAccountId: string
}
export interface PlainRequest {
  readonly caller: PlainCaller
  readonly action: string
  readonly resourceArn: string
  readonly owner: string
  readonly context: Readonly<Record<string, readonly string[]>>
  readonly uniqueIds: Readonly<Record<string, string>>
  readonly keyPolicy: PlainPolicy | undefined
  readonly identity: readonly PlainPolicy[]
  readonly boundary: PlainPolicy | undefined
  readonly session: readonly PlainPolicy[] | undefined
  readonly grants: readonly PlainGrant[]
  readonly encryptionContext: Readonly<Record<string, string>>
}

/** True when the request is allowed. */
export function referenceAllows(request: PlainRequest): boolean {
  const { keyPolicy, identity, boundary, session } = request
  const attached = [...identity, ...(boundary ? [boundary] : []), ...(session ?? [])]
  if (attached.some((policy) => says(policy, 'Deny', request))) return false
  if (keyPolicy && keyWords(keyPolicy, 'Deny', request).size > 0) return false
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

interface Standing {
  readonly same: boolean
  readonly accountAllows: boolean
  /** A boundary or the session's policies do not allow. */
  readonly limited: boolean
}

/** Whether a grant gives the action to whoever its grantee is. */
function gives(grant: PlainGrant, { action, encryptionContext }: PlainRequest): boolean {
  if (!grant.operations.map((name) => `kms:${name}`).includes(action)) return false
  if (['kms:DescribeKey', 'kms:RetireGrant'].includes(action)) return true
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

/** Whether the caller may as the principal that a grant names. */
function mayAs(
  principal: string | undefined,
  grant: PlainGrant,
  { caller }: PlainRequest,
  { same, accountAllows, limited }: Standing,
): boolean {
  if (principal === undefined) return false
  if (principal === `arn:aws:iam::${caller.accountId}:root`) return accountAllows
  const itself = caller.kind !== 'root' && principal === caller.arn
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
  'kms:RetireGrant',
]

function says(policy: PlainPolicy, effect: string, request: PlainRequest): boolean {
  return policy.Statement.some(
    (statement) => statement.Effect === effect && applies(policy, statement, request),
  )
}

/** Under which names the key policy's statements of that effect mean the caller. */
function keyWords(policy: PlainPolicy, effect: string, request: PlainRequest): ReadonlySet<string> {
  const words = new Set<string>()
  for (const statement of policy.Statement) {
    if (statement.Effect !== effect || !applies(policy, statement, request)) continue
    for (const word of principalWords(statement, request)) words.add(word)
  }
  return words
}

function principalWords(statement: PlainStatement, request: PlainRequest): readonly string[] {
  const { caller, uniqueIds } = request
  if (statement.Principal === '*') return ['itself']
  const roleId = caller.roleId ?? caller.uniqueId.split(':')[0] ?? ''
  const names = [
    {
      word: 'account',
      written: [caller.accountId, `arn:aws:iam::${caller.accountId}:root`],
      id: '',
    },
    ...(caller.kind === 'root'
      ? []
      : [{ word: 'itself', written: [caller.arn], id: caller.uniqueId }]),
    ...(caller.roleArn === undefined
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
  if (statement.NotPrincipal !== undefined) {
    if (listed.includes('*')) return []
    return names.every((name) => meant(name, false)) ? [] : ['itself']
  }
  if (listed.includes('*')) return ['itself']
  return names.filter((name) => meant(name, statement.Effect === 'Deny')).map(({ word }) => word)
}

function applies(policy: PlainPolicy, statement: PlainStatement, request: PlainRequest): boolean {
  const { action, context } = request
  const variables = policy.Version === '2012-10-17'
  const deny = statement.Effect === 'Deny'
  const actions = (statement.Action ?? statement.NotAction ?? []).map((name) => name.toLowerCase())
  const resources = statement.Resource ?? statement.NotResource ?? []
  if (actions.length === 0 || resources.length === 0) return false
  const act = actions.some((name) => like(name.split(''), action.toLowerCase()))
  if (act === (statement.NotAction !== undefined)) return false
  const symbols = resources.map((each) => fill(each, variables, context))
  const res = symbols.some((each) => each !== undefined && like(each, request.resourceArn))
  if (statement.NotResource === undefined && !res) return false
  if (statement.NotResource !== undefined && (res || (symbols.includes(undefined) && !deny))) {
    return false
  }
  return Object.entries(statement.Condition ?? {}).every(([operator, block]) =>
    Object.entries(block).every(([key, values]) =>
      conditionHolds(operator, context[key.toLowerCase()], values, { variables, deny, context }),
    ),
  )
}

interface Setting {
  readonly variables: boolean
  readonly deny: boolean
  readonly context: PlainRequest['context']
}

function conditionHolds(
  name: string,
  given: readonly string[] | undefined,
  wanted: readonly string[],
  setting: Setting,
): boolean {
  const missing = given === undefined || given.length === 0
  if (name === 'Null') return wanted.includes(String(missing))
  const [, set = '', operator = '', ifExists = ''] =
    /^(ForAllValues:|ForAnyValue:|)(.*?)(IfExists|)$/.exec(name) ?? []
  const negated = operator.includes('Not')
  if (missing) return ifExists !== '' || set === 'ForAllValues:' || (set === '' && negated)
  const positive = operator.replace('Not', '')
  const holdsFor = (value: string): boolean => {
    const answers = wanted.map((each) => compare(positive, value, each, setting))
    if (answers.includes('yes')) return !negated
    if (answers.includes('unreadable')) return setting.deny
    if (answers.includes('no value') && negated) return setting.deny
    return negated
  }
  if (set === 'ForAnyValue:') return given.some(holdsFor)
  if (set === 'ForAllValues:') return given.every(holdsFor)
  return setting.deny ? given.some(holdsFor) : given.every(holdsFor)
}

type Answer = 'yes' | 'no' | 'no value' | 'unreadable'

function compare(operator: string, given: string, wanted: string, setting: Setting): Answer {
  const symbols = fill(wanted, setting.variables, setting.context)
  const plain = symbols?.map((symbol) => symbol.slice(-1)).join('')
  const yes = (answer: boolean): Answer => (answer ? 'yes' : 'no')
  if (operator === 'Bool') {
    return /^(true|false)$/i.test(given) ? yes(given.toLowerCase() === wanted) : 'unreadable'
  }
  if (operator.startsWith('Numeric')) {
    if (!/^-?\d+(\.\d+)?$/.test(given)) return 'unreadable'
    return yes(ranks(operator.slice('Numeric'.length), Number(given), Number(wanted)))
  }
  if (operator === 'IpAddress') {
    const value = addressBits(given)
    const [address = '', length = '32'] = wanted.split('/')
    if (value === undefined) return 'unreadable'
    return yes(addressBits(address)?.slice(0, Number(length)) === value.slice(0, Number(length)))
  }
  if (symbols === undefined || plain === undefined) return 'no value'
  if (operator === 'StringEquals') return yes(plain === given)
  if (operator === 'StringEqualsIgnoreCase') return yes(plain.toLowerCase() === given.toLowerCase())
  if (operator === 'StringLike') return yes(like(symbols, given))
  return arnAnswer(symbols, given)
}

function ranks(relation: string, given: number, wanted: number): boolean {
  const strict = relation.startsWith('LessThan') ? given < wanted : given > wanted
  if (relation === 'Equals') return given === wanted
  return strict || (relation.endsWith('ThanEquals') && given === wanted)
}

function addressBits(address: string): string | undefined {
  const numbers = address.split('.').map(Number)
  if (numbers.length !== 4 || numbers.some((each) => !(each >= 0 && each <= 255))) return undefined
  return numbers.map((each) => each.toString(2).padStart(8, '0')).join('')
}

function arnAnswer(symbols: readonly string[], given: string): Answer {
  const parts = given.split(':')
  if (parts.length < 6 || parts[0] !== 'arn') return 'unreadable'
  const values = [...parts.slice(0, 5), parts.slice(5).join(':')]
  const patterns: string[][] = [[]]
  for (const symbol of symbols) {
    if (symbol.slice(-1) === ':' && patterns.length < 6) patterns.push([])
    else patterns.at(-1)?.push(symbol)
  }
  if (patterns.length < 6) return 'no value'
  return patterns.every((pattern, index) => like(pattern, values[index] ?? '')) ? 'yes' : 'no'
}

/** The text as symbols; a literal that could be taken for a wildcard is written `=*`, `=?`. */
function fill(
  text: string,
  variables: boolean,
  context: PlainRequest['context'],
): readonly string[] | undefined {
  const found = variables ? /^(.*?)\$\{([^}]*)\}(.*)$/s.exec(text) : null
  if (found === null) return text.split('')
  const [, before = '', inner = '', after = ''] = found
  const [, key = '', fallback] = /^([^,]*?)(?:, *'(.*)')?$/.exec(inner) ?? []
  const values = context[key.toLowerCase()]
  const value = ['*', '?', '$'].includes(inner)
    ? inner
    : values === undefined
      ? fallback
      : values.length === 1
        ? values[0]
        : undefined
  const rest = fill(after, variables, context)
  if (value === undefined || rest === undefined) return undefined
  return [...before.split(''), ...value.split('').map((each) => `=${each}`), ...rest]
}

/** Tries everything. */
function like(symbols: readonly string[], value: string): boolean {
  const [symbol, ...rest] = symbols
  if (symbol === undefined) return value === ''
  if (symbol === '*') return like(rest, value) || (value !== '' && like(symbols, value.slice(1)))
  const fits = symbol === '?' || symbol.slice(-1) === value[0]
  return value !== '' && fits && like(rest, value.slice(1))
}
