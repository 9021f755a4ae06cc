/**
 * A Prometheus histogram of durations that looks a series up once. The library looks it up by a text of all
 * labels each time, which takes longer than the counting.
 * @module
 */
import { Histogram, type Registry } from 'prom-client'

type Labels = Readonly<Record<string, string>>

/** Counts one duration, in milliseconds. */
export type Observe = (milliseconds: number) => void

interface Series {
  readonly labels: Labels
  /** For each bucket, the durations that no smaller bucket has. Durations above all are in none. */
  readonly counts: number[]
  /** Seconds. */
  sum: number
  count: number
}

interface Named {
  readonly name: string
  readonly help: string
  readonly labelNames?: string[]
  readonly registers: Registry[]
}

export class Durations extends Histogram {
  readonly #named: Named
  readonly #bounds: readonly number[]
  readonly #series = new Map<string, Series>()

  /** @param buckets upper bounds in seconds, ascending */
  constructor(named: Named, buckets: readonly number[]) {
    super({ ...named, buckets: [...buckets] })
    this.#named = named
    this.#bounds = buckets
  }

  /** Adds the series unless it exists. Returns a function that counts in it. */
  of(labels: Labels = {}): Observe {
    const name = JSON.stringify(Object.values(labels))
    const series = this.#series.get(name) ?? {
      labels,
      counts: this.#bounds.map(() => 0),
      sum: 0,
      count: 0,
    }
    this.#series.set(name, series)
    const { counts } = series
    return (milliseconds) => {
      const seconds = milliseconds / 1000
      series.sum += seconds
      series.count += 1
      const bucket = this.#bounds.findIndex((bound) => seconds <= bound)
      if (bucket !== -1) counts[bucket] = (counts[bucket] ?? 0) + 1
    }
  }

  /** What the library renders as text and gives to other workers. */
  async getForPromString(): Promise<object> {
    const { name, help } = this.#named
    const values = [...this.#series.values()].flatMap((series) => this.#valuesOf(series))
    return { name, help, type: 'histogram', aggregator: 'sum', values }
  }

  /** Prometheus counts a duration in every bucket that it fits into. */
  #valuesOf({ labels: sharedLabels, counts, sum, count }: Series): readonly object[] {
    const { name } = this.#named
    let below = 0
    const valueOf = (suffix: string, value: number, labels = {}): object => ({
      metricName: `${name}_${suffix}`,
      labels,
      sharedLabels,
      value,
    })
    const buckets = this.#bounds.map((le, index) => {
      below += counts[index] ?? 0
      return valueOf('bucket', below, { le })
    })
    const all = valueOf('bucket', count, { le: '+Inf' })
    return [...buckets, all, valueOf('sum', sum), valueOf('count', count)]
  }
}
