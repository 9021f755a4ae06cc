/**
 * A validated policy document: typed and with uniform lists, but not compiled.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * @module
 */

/**
 * What a policy is attached to:
 * - a key: it names principals;
 * - an identity: it must not name principals;
 * - a role as its trust policy: it names principals, and the role is its only resource;
 * - an account, as its organisation's limit on its principals (it names no principal) or on its
 *   resources (it means every principal).
 */
export type PolicyKind = 'key' | 'identity' | 'trust' | 'service-control' | 'resource-control'

export type PolicyLanguageVersion = '2008-10-17' | '2012-10-17'

export type Effect = 'Allow' | 'Deny'

export interface PolicyDocument {
  /** `2008-10-17` when absent. Policy variables are plain text in that version. */
  readonly version: PolicyLanguageVersion
  readonly id?: string
  readonly statements: readonly Statement[]
}

export interface Statement {
  readonly sid?: string
  readonly effect: Effect
  /** Present exactly in policies that name principals. */
  readonly principals?: Negatable<PolicyPrincipal>
  /**
   * A statement without actions has no effect. Neither has one without resources, except in trust
   * policies.
   */
  readonly actions?: Negatable<string>
  readonly resources?: Negatable<string>
  readonly conditions: readonly Condition[]
}

/** `Action`, or `NotAction` when negated. Likewise for principals and resources. */
export interface Negatable<T> {
  readonly negated: boolean
  readonly entries: readonly T[]
}

/** One entry of `Principal`. `arn` is the text as written. */
export type PolicyPrincipal =
  | { readonly kind: 'everyone' }
  | { readonly kind: 'account'; readonly accountId: string; readonly partition?: string }
  | {
      readonly kind: 'user' | 'role' | 'session' | 'federated-user'
      readonly arn: string
      readonly accountId: string
      readonly partition: string
    }
  | { readonly kind: 'federated' | 'service'; readonly name: string }

/** How a condition treats a key with several values: all must match, any must match, or it expects one. */
export type Quantifier = 'all' | 'any' | 'one'

export interface Condition {
  readonly operator: OperatorName
  readonly quantifier: Quantifier
  readonly ifExists: boolean
  /** Lower case, because condition keys are compared without case. */
  readonly key: string
  readonly values: readonly string[]
}

/** The type that an operator compares (`comparisons.ts`). */
export type Family =
  | 'string'
  | 'string-ignore-case'
  | 'string-like'
  | 'numeric'
  | 'date'
  | 'bool'
  | 'binary'
  | 'ip'
  | 'arn'
  | 'null'

export type Relation = 'equal' | 'less' | 'less-or-equal' | 'greater' | 'greater-or-equal'

export interface Operator {
  readonly family: Family
  /** True for `…Not…` operators: the opposite of the positive one, and true when the key is missing. */
  readonly negated: boolean
  readonly relation: Relation
}

/** Every condition operator, without prefix and suffix. */
export const operators = {
  StringEquals: { family: 'string', negated: false, relation: 'equal' },
  StringNotEquals: { family: 'string', negated: true, relation: 'equal' },
  StringEqualsIgnoreCase: { family: 'string-ignore-case', negated: false, relation: 'equal' },
  StringNotEqualsIgnoreCase: { family: 'string-ignore-case', negated: true, relation: 'equal' },
  StringLike: { family: 'string-like', negated: false, relation: 'equal' },
  StringNotLike: { family: 'string-like', negated: true, relation: 'equal' },
  NumericEquals: { family: 'numeric', negated: false, relation: 'equal' },
  NumericNotEquals: { family: 'numeric', negated: true, relation: 'equal' },
  NumericLessThan: { family: 'numeric', negated: false, relation: 'less' },
  NumericLessThanEquals: { family: 'numeric', negated: false, relation: 'less-or-equal' },
  NumericGreaterThan: { family: 'numeric', negated: false, relation: 'greater' },
  NumericGreaterThanEquals: { family: 'numeric', negated: false, relation: 'greater-or-equal' },
  DateEquals: { family: 'date', negated: false, relation: 'equal' },
  DateNotEquals: { family: 'date', negated: true, relation: 'equal' },
  DateLessThan: { family: 'date', negated: false, relation: 'less' },
  DateLessThanEquals: { family: 'date', negated: false, relation: 'less-or-equal' },
  DateGreaterThan: { family: 'date', negated: false, relation: 'greater' },
  DateGreaterThanEquals: { family: 'date', negated: false, relation: 'greater-or-equal' },
  Bool: { family: 'bool', negated: false, relation: 'equal' },
  BinaryEquals: { family: 'binary', negated: false, relation: 'equal' },
  IpAddress: { family: 'ip', negated: false, relation: 'equal' },
  NotIpAddress: { family: 'ip', negated: true, relation: 'equal' },
  ArnEquals: { family: 'arn', negated: false, relation: 'equal' },
  ArnLike: { family: 'arn', negated: false, relation: 'equal' },
  ArnNotEquals: { family: 'arn', negated: true, relation: 'equal' },
  ArnNotLike: { family: 'arn', negated: true, relation: 'equal' },
  Null: { family: 'null', negated: false, relation: 'equal' },
} as const satisfies Readonly<Record<string, Operator>>

export type OperatorName = keyof typeof operators

/** The operator of this name, in exact case. The name is caller-controlled. */
export function findOperator(name: string): OperatorName | undefined {
  return Object.hasOwn(operators, name) ? (name as OperatorName) : undefined // checked by hasOwn
}
