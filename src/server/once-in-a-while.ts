/** Keeps a caller from filling the log. @module */

/** Period in which a message with one code is logged once, in milliseconds. */
const periodMs = 10_000
const codesMax = 100

/** Passes on the first call with each code in a while. The clock is monotonic. */
export function onceInAWhile<Rest extends readonly unknown[]>(
  act: (code: string, ...rest: Rest) => void,
): (code: string, ...rest: Rest) => void {
  const last = new Map<string, number>()
  return (code, ...rest) => {
    const now = performance.now()
    if (now - (last.get(code) ?? -Infinity) < periodMs) return
    if (last.size >= codesMax) last.clear()
    last.set(code, now)
    act(code, ...rest)
  }
}
