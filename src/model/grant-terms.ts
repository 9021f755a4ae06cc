/**
 * The terms of a grant: everything that decides whom it allows to do what, in a form for lookups.
 * Contexts and source ARNs become tokens. Two values are equal exactly when their tokens are equal,
 * so a lookup by token replaces comparing one grant after another.
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
import { isServicePrincipal } from './service.ts'

type Pairs = Readonly<Record<string, string>>

export interface GrantTerms {
  readonly grantId: string
  /** One bit an operation, in the order of `grantOperations`. */
  readonly operations: number
  /** Empty for a service, because it has no unique id. */
  readonly granteeId: string
  readonly issuingAccountId: string
  /** True if the grantee's account owns the key or issued the grant. */
  readonly own: boolean
  /** Token of the source ARN; empty if any source is allowed. */
  readonly source: string
  /** Token of the whole encryption context that the call must have. */
  readonly equals?: string
  /** Tokens of the pairs that a call's encryption context must contain, sorted. */
  readonly pairs: readonly string[]
}

/**
 * Longer texts become their hash, so that the creator of a grant cannot choose how much memory it
 * takes.
 */
const tokenCharactersMax = 64

/**
 * No clash with a hash: JSON text never begins with `#`. It contains no lone surrogates, so
 * different texts have different bytes.
 */
function tokenOf(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length <= tokenCharactersMax ? text : `#${hash('sha256', text, 'base64url')}`
}

/** The token of a whole context, independent of the order of its pairs. */
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

/** @returns undefined if one of them is not an operation that grants can allow */
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
    // Both members that name a service mean the same one: it has its name and no unique id.
    granteeId: isServicePrincipal(granteeOf(grant)) ? '' : granteeId,
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

/**
 * Whether the grant stays within one account. A service belongs to no account, so a grant to it
 * always does.
 */
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

/** The account of an ARN, or of an infrastructure principal, which begins with its account id. */
function accountOf(grantee: string): string | undefined {
  const parts = grantee.split(':')
  if (parts[0] === 'arn') return parts[4]
  return parts.length > 1 ? parts[0] : undefined
}

/** What a call needs a grant for. */
export interface GrantQuestion {
  readonly operation: GrantOperation
  readonly encryptionContext?: Pairs
  /** The resource for which a service calls. */
  readonly sourceArn?: string
  /** The grant that a `CreateGrant` call requests. */
  readonly requested?: {
    readonly operations: readonly string[]
    readonly constraints?: GrantConstraints
  }
}

/** The question as terms. Tokens are computed only when a grant needs them for a comparison. */
export interface AskedTerms {
  readonly operation: GrantOperation
  /** The operations that one grant must allow together. */
  readonly operations: number
  /** Tokens of the sources that a grant may require; the empty token comes first. */
  readonly sources: readonly string[]
  /** Every selector under which a matching grant may be filed, the most general first. */
  readonly selectors: () => Iterable<string>
  /** Whether the call's context contains the pair with this token. */
  readonly hasPair: (token: string) => boolean
}

/**
 * @returns undefined if no grant can allow the call. Retiring a grant is not asked here: it names
 * its grant.
 */
export function askedTerms(question: GrantQuestion): AskedTerms | undefined {
  const { operation, requested, sourceArn } = question
  if (operation === 'RetireGrant') return undefined
  if (operation === 'CreateGrant' && requested === undefined) return undefined
  const operations = operationBits([operation, ...(requested?.operations ?? [])])
  if (operations === undefined) return undefined
  const { constraints } = requested ?? {}
  // For CreateGrant, the requested constraints take the place of the call's encryption context.
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
  // DescribeKey has no encryption context, so constraints on one do not apply.
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

/** Selects every grant that allows DescribeKey, whatever its constraints. */
export const describeSelector = 'describe'
/** Selects every other grant without constraints on the context. */
const anySelector = 'any'

/**
 * The parts of a grant's context under any one of which it can be filed: one part, or several
 * pairs.
 */
export function contextSelectors({
  equals,
  pairs,
}: Pick<GrantTerms, 'equals' | 'pairs'>): readonly [string, ...string[]] {
  if (equals !== undefined) return [`equals ${equals}`]
  const [first, ...more] = pairs.map((pair) => `pair ${pair}`)
  return first === undefined ? [anySelector] : [first, ...more]
}
