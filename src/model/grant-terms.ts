/**
 * The terms of a grant: what decides whom it lets do what, in a form that can be looked up. Contexts and
 * source ARNs become tokens. Two of them are equal exactly when their tokens are equal, so a lookup by
 * token replaces the comparison of one grant after the other.
 * @see docs/adr/0026-grants-at-scale.md
 * @module
 */
import { hash } from 'node:crypto'
import {
  granteeOf,
  grantOperations,
  type GrantConstraints,
  type GrantOperation,
  type GrantRecord,
} from './grant.ts'

type Pairs = Readonly<Record<string, string>>

export interface GrantTerms {
  readonly grantId: string
  /** A bit for each operation, in the order of `grantOperations`. */
  readonly operations: number
  /** Empty for a service, which has no unique id. */
  readonly granteeId: string
  readonly issuingAccountId: string
  /** The key and the grantee are of one account, or the grantee's own account issued the grant. */
  readonly own: boolean
  /** Token of the source ARN; empty where any source will do. */
  readonly source: string
  /** Token of the whole encryption context that a call must have. */
  readonly equals?: string
  /** Tokens of the pairs that a call's encryption context must contain, sorted. */
  readonly pairs: readonly string[]
}

/** Longer texts become their hash, so that the writer of a grant does not decide how much memory it takes. */
const tokenCharactersMax = 64

/** JSON text never begins with `#`. It has no lone surrogates, so that each text has bytes of its own. */
function tokenOf(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length <= tokenCharactersMax ? text : `#${hash('sha256', text, 'base64url')}`
}

/** The token of a whole context, whatever the order of its pairs. */
export function contextToken(context: Pairs): string {
  return tokenOf(Object.entries(context).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

/** The token of each pair of a context. */
export function pairTokens(context: Pairs): readonly string[] {
  return Object.entries(context).map(tokenOf)
}

export function sourceToken(sourceArn: string): string {
  return tokenOf(sourceArn)
}

const bits: ReadonlyMap<string, number> = new Map(
  grantOperations.map((name, place) => [name, 1 << place]),
)

/** @returns undefined when one of them is no operation that grants can give */
export function operationBits(operations: readonly string[]): number | undefined {
  let set = 0
  for (const operation of operations) {
    const bit = bits.get(operation)
    if (bit === undefined) return undefined
    set |= bit
  }
  return set
}

export function operationNames(set: number): readonly GrantOperation[] {
  return grantOperations.filter((_, place) => (set & (1 << place)) !== 0)
}

export function termsOf(grant: Omit<GrantRecord, 'rowVersion'>): GrantTerms {
  const { grantId, granteeId = '', issuingAccountId, operations, constraints = {} } = grant
  return {
    grantId,
    operations: operationBits(operations) ?? 0,
    granteeId,
    issuingAccountId,
    own: isOwn(grant),
    ...constraintTerms(constraints),
  }
}

function constraintTerms({
  EncryptionContextEquals: equals,
  EncryptionContextSubset: subset = {},
  SourceArn,
}: GrantConstraints): Pick<GrantTerms, 'source' | 'equals' | 'pairs'> {
  return {
    source: SourceArn === undefined ? '' : sourceToken(SourceArn),
    ...(equals !== undefined && { equals: contextToken(equals) }),
    pairs: pairTokens(subset).toSorted(),
  }
}

/** A service has no account: what is granted to it is never a matter of two accounts. */
function isOwn(
  grant: Pick<
    GrantRecord,
    'accountId' | 'issuingAccountId' | 'granteePrincipal' | 'granteeServicePrincipal'
  >,
): boolean {
  const accountId = accountOf(granteeOf(grant))
  return (
    accountId === undefined || accountId === grant.accountId || accountId === grant.issuingAccountId
  )
}

/** The account of an ARN, or of an infrastructure principal, which begins with it. */
function accountOf(grantee: string): string | undefined {
  const parts = grantee.split(':')
  if (parts[0] === 'arn') return parts[4]
  return parts.length > 1 ? parts[0] : undefined
}

/** What a call asks of grants. */
export interface GrantQuestion {
  readonly operation: GrantOperation
  readonly encryptionContext?: Pairs
  /** The resource on whose behalf a service calls. */
  readonly sourceArn?: string
  /** What `CreateGrant` would give. */
  readonly requested?: {
    readonly operations: readonly string[]
    readonly constraints?: GrantConstraints
  }
}

/** The question in terms; tokens are made when a grant has something to compare them with. */
export interface AskedTerms {
  readonly operation: GrantOperation
  /** The operations that one grant must give together. */
  readonly operations: number
  /** The sources that a grant may ask for: the empty one first. */
  readonly sources: readonly string[]
  /** Every selector under which a grant that gives it may be filed, the most general ones first. */
  readonly selectors: () => Iterable<string>
  /** Whether the context has a pair, by its token. */
  readonly hasPair: (token: string) => boolean
}

/** @returns undefined when no grant can give it. Retiring names its grant: it is not asked here. */
export function askedTerms(question: GrantQuestion): AskedTerms | undefined {
  const { operation, requested, sourceArn } = question
  if (operation === 'RetireGrant') return undefined
  if (operation === 'CreateGrant' && requested === undefined) return undefined
  const operations = operationBits([operation, ...(requested?.operations ?? [])])
  if (operations === undefined) return undefined
  const { constraints } = requested ?? {}
  // What a new grant is constrained to is what a call's context is otherwise.
  const whole =
    requested === undefined
      ? (question.encryptionContext ?? {})
      : constraints?.EncryptionContextEquals
  const known = whole ?? constraints?.EncryptionContextSubset ?? {}
  const equals = once(() => whole && contextToken(whole))
  const pairs = once(() => new Set(pairTokens(known)))
  const narrowed = requested === undefined || constraints?.SourceArn === sourceArn
  return {
    operation,
    operations,
    sources: sourceArn !== undefined && narrowed ? ['', sourceToken(sourceArn)] : [''],
    selectors: () => selectorsOf(operation, equals, pairs),
    hasPair: (token) => pairs().has(token),
  }
}

function* selectorsOf(
  operation: GrantOperation,
  equals: () => string | undefined,
  pairs: () => ReadonlySet<string>,
): Generator<string> {
  // It has no encryption context: constraints on one do not bind it.
  if (operation === 'DescribeKey') {
    yield describeSelector
    return
  }
  yield anySelector
  const whole = equals()
  if (whole !== undefined) yield `equals ${whole}`
  for (const pair of pairs()) yield `pair ${pair}`
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

/** Every grant that gives DescribeKey, whatever its context. */
export const describeSelector = 'describe'
/** Every other grant that asks for no context. */
const anySelector = 'any'

/** The parts of a grant's context of which any one will do to file it: one, or several pairs. */
export function contextSelectors({
  equals,
  pairs,
}: Pick<GrantTerms, 'equals' | 'pairs'>): readonly [string, ...string[]] {
  if (equals !== undefined) return [`equals ${equals}`]
  const [first, ...more] = pairs.map((pair) => `pair ${pair}`)
  return first === undefined ? [anySelector] : [first, ...more]
}
