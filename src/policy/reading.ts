/** Small readers of policy JSON: members, lists, and the budget that limits them. @module */
import type { PolicyKind, PolicyLanguageVersion } from './document.ts'
import { PolicyFaultFound } from './malformed.ts'

/** The remaining number of each thing that a policy may hold. */
export type Budget = Record<
  | 'statements'
  | 'principals'
  | 'conditions'
  | 'condition values'
  | 'actions and resources'
  | 'policy variables',
  number
>

/** The state of reading one policy. */
export interface Reading {
  readonly kind: PolicyKind
  readonly version: PolicyLanguageVersion
  /** Counts down. */
  readonly left: Budget
}

export function refuse(at: string, problem: string): never {
  throw new PolicyFaultFound({ kind: 'structure', at, problem })
}

export function spend({ left }: Reading, of: keyof Budget, count: number): void {
  left[of] -= count
  if (left[of] < 0) throw new PolicyFaultFound({ kind: 'count', of, max: budget[of] })
}

/** The maximum of each thing in one policy. */
export const budget: Readonly<Budget> = {
  statements: 500,
  principals: 1_000,
  conditions: 1_000,
  'condition values': 1_000,
  'actions and resources': 5_000,
  'policy variables': 100,
}

/** The object's members. A member that is not `known` is refused. */
export function members(
  value: unknown,
  at: string,
  known?: readonly string[],
): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(at, 'it is not an object')
  }
  const given = new Map<string, unknown>(Object.entries(value))
  if (known !== undefined && [...given.keys()].some((name) => !known.includes(name))) {
    refuse(at, 'it holds an element that is not known')
  }
  return given
}

export function textOf(value: unknown, at: string): string {
  return typeof value === 'string' ? value : refuse(at, 'it is not a string')
}

/** One string, or a list of them. */
export function strings(value: unknown, at: string): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  return items.map((item) => textOf(item, at))
}
