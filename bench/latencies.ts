/** Latencies of many answers, and their percentiles. @module */

export interface Latencies {
  readonly count: number
  readonly add: (milliseconds: number) => void
  /** Milliseconds. @param share from 0 to 1; without latencies, every percentile is 0 */
  readonly percentile: (share: number) => number
  readonly values: () => Float64Array
}

const roomAtFirst = 8192

/** Kept in one array, so that the load generator makes almost no garbage while it measures. */
export function createLatencies(): Latencies {
  let values = new Float64Array(roomAtFirst)
  let count = 0
  return {
    get count() {
      return count
    },
    add(milliseconds) {
      if (count === values.length) {
        const longer = new Float64Array(2 * count)
        longer.set(values)
        values = longer
      }
      values[count] = milliseconds
      count += 1
    },
    percentile(share) {
      const sorted = values.slice(0, count).sort()
      return sorted[Math.min(count - 1, Math.floor(count * share))] ?? 0
    },
    values: () => values.subarray(0, count),
  }
}

export function joinLatencies(...some: readonly Latencies[]): Latencies {
  const joined = createLatencies()
  for (const each of some) for (const value of each.values()) joined.add(value)
  return joined
}
