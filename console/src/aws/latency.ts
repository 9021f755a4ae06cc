/** How long the calls of this page take: from the browser's request to the end of the answer. @module */

/** The latest calls count. */
const callsMax = 200
let durations: readonly number[] = []

/** Notes each call of the API from now on. The browser measures it. */
export function noteLatency(): void {
  const observer = new PerformanceObserver((list) => {
    const noted = list.getEntries().flatMap((entry) => {
      if (!(entry instanceof PerformanceResourceTiming)) return []
      const { pathname } = new URL(entry.name)
      const isCall = pathname === '/' || pathname.startsWith('/_trent/')
      return isCall && entry.requestStart > 0 ? [entry.responseEnd - entry.requestStart] : []
    })
    durations = [...durations, ...noted].slice(-callsMax)
  })
  observer.observe({ type: 'resource', buffered: true })
}

export interface Latency {
  readonly calls: number
  /** Milliseconds. */
  readonly median: number
  /** Milliseconds: 95 of 100 calls took no longer. */
  readonly most: number
}

/** @returns undefined before the first call */
export function latency(): Latency | undefined {
  const sorted = durations.toSorted((one, other) => one - other)
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
  if (sorted.length === 0) return undefined
  return { calls: sorted.length, median: at(0.5), most: at(0.95) }
}
