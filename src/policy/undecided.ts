/** Three-valued logic: true, false, or undecided with the reason. @module */

/**
 * Why a statement is undecided.
 * - `work`: it takes more steps than a request may use.
 * - `several-values`: the condition key has several values, and the operator has no set operator
 *   (`ForAllValues`, `ForAnyValue`).
 * - `value`: a value does not have the operator's type, is too long, or is a policy variable with
 *   several values.
 */
export type Undecided = 'work' | 'several-values' | 'value'

/** Whether something matches. An undecided result always goes against the caller. */
export type Verdict = boolean | Undecided

/** True when all are true, false when one is false, otherwise undecided. Lazy. */
export function every<T>(items: readonly T[], test: (item: T) => Verdict): Verdict {
  let undecided: Undecided | undefined
  for (const item of items) {
    const verdict = test(item)
    if (verdict === false) return false
    if (verdict !== true) undecided ??= verdict
  }
  return undecided ?? true
}

/** True when one is true, false when all are false, otherwise undecided. Lazy. */
export function some<T>(items: readonly T[], test: (item: T) => Verdict): Verdict {
  let undecided: Undecided | undefined
  for (const item of items) {
    const verdict = test(item)
    if (verdict === true) return true
    if (verdict !== false) undecided ??= verdict
  }
  return undecided ?? false
}

/** An undecided verdict stays undecided. */
export function not(verdict: Verdict): Verdict {
  return typeof verdict === 'boolean' ? !verdict : verdict
}
