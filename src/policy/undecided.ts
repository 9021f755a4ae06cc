/** What cannot be said of a statement, and why. @module */

/**
 * `work`: it takes more steps than a request may have. `several-values`: the condition key has several
 * values and the operator has no set operator (`ForAllValues`, `ForAnyValue`). `value`: a value is not of
 * the operator's type, is too long, or is a policy variable of several values.
 */
export type Undecided = 'work' | 'several-values' | 'value'

/** Whether something matches; the caller has neither the benefit nor the use of what is undecided. */
export type Verdict = boolean | Undecided

/** True when all are, false when one is, undecided otherwise. Lazy. */
export function every<T>(items: readonly T[], test: (item: T) => Verdict): Verdict {
  let undecided: Undecided | undefined
  for (const item of items) {
    const verdict = test(item)
    if (verdict === false) return false
    if (verdict !== true) undecided ??= verdict
  }
  return undecided ?? true
}

/** True when one is, false when none is, undecided otherwise. Lazy. */
export function some<T>(items: readonly T[], test: (item: T) => Verdict): Verdict {
  let undecided: Undecided | undefined
  for (const item of items) {
    const verdict = test(item)
    if (verdict === true) return true
    if (verdict !== false) undecided ??= verdict
  }
  return undecided ?? false
}

/** What is undecided stays so. */
export function not(verdict: Verdict): Verdict {
  return typeof verdict === 'boolean' ? !verdict : verdict
}
