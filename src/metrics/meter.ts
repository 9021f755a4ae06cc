/**
 * What the server measures of itself, for Prometheus. Aggregates alone: no label names an account, a key or
 * a caller, and each label is of a closed set, so that nobody can make the numbers grow without bound.
 * @module
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { KeyFigures } from '../model/key-figures.ts'

export interface Meter {
  /** A request was answered; `operation` is undefined for one that no operation was found for. */
  answered(operation: MeteredOperation | undefined, outcome: string, milliseconds: number): void
  /** Milliseconds, each. */
  readonly authorized: (milliseconds: number) => void
  readonly worked: (milliseconds: number) => void
  readonly appended: (milliseconds: number) => void
  readonly synced: (milliseconds: number) => void
  /** From now on the state is asked for when the numbers are read. */
  observe(state: ObservedState): void
  /** All numbers, in Prometheus's text format. */
  text(): Promise<string>
  readonly contentType: string
}

export interface MeteredOperation {
  readonly service: string
  readonly name: string
}

export interface ObservedState {
  readonly now: () => number
  readonly changes: () => number
  readonly refusals: () => number
  readonly keyFigures: () => Promise<KeyFigures>
  readonly caches: () => Readonly<Record<string, CacheCounts>>
}

export interface CacheCounts {
  readonly hits: number
  readonly misses: number
}

export interface JournalState {
  readonly healthy: boolean
  readonly hasReserve: boolean
}

/** Seconds. */
const requestBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const workBuckets = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.025, 0.1, 1,
]
/** Keys are counted no more often than this, however often the numbers are read. */
const figuresKeptMs = 15_000

export function createMeter(journal: () => JournalState): Meter {
  const registry = new Registry()
  const registers = [registry]
  const requests = new Counter({
    name: 'trent_requests_total',
    help: 'Requests answered, by operation and outcome: success, or the code of the error.',
    labelNames: ['service', 'operation', 'outcome'],
    registers,
  })
  const histogram = (name: string, help: string, buckets: number[]): Histogram =>
    new Histogram({ name, help, buckets, registers })
  const latency = new Histogram({
    name: 'trent_request_seconds',
    help: 'Time from a whole request to its answer, with its audit record durable.',
    labelNames: ['service', 'operation'],
    buckets: requestBuckets,
    registers,
  })
  const authorization = histogram(
    'trent_authorization_seconds',
    'Time that it took to decide whether a call may be.',
    workBuckets,
  )
  const crypto = histogram(
    'trent_crypto_seconds',
    'Time that key stores took for one piece of cryptography, with its waiting.',
    workBuckets,
  )
  const append = histogram(
    'trent_journal_append_seconds',
    'Time that audit records waited until they were durable.',
    requestBuckets,
  )
  const sync = histogram(
    'trent_journal_fsync_seconds',
    'Time of one fdatasync of the audit journal.',
    requestBuckets,
  )
  const state = createState(registry, journal)
  return {
    answered({ service, name: operation } = nothingFound, outcome, milliseconds) {
      requests.inc({ service, operation, outcome })
      latency.observe({ service, operation }, milliseconds / 1000)
    },
    authorized: (milliseconds) => authorization.observe(milliseconds / 1000),
    worked: (milliseconds) => crypto.observe(milliseconds / 1000),
    appended: (milliseconds) => append.observe(milliseconds / 1000),
    synced: (milliseconds) => sync.observe(milliseconds / 1000),
    observe: (seen) => state.observe(seen),
    async text() {
      await state.refresh()
      return registry.metrics()
    },
    contentType: registry.contentType,
  }
}

const nothingFound: MeteredOperation = { service: 'none', name: 'unknown' }

interface StateGauges {
  observe(state: ObservedState): void
  refresh(): Promise<void>
}

function createState(registry: Registry, journal: () => JournalState): StateGauges {
  const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
    new Gauge({ name, help, labelNames, registers: [registry] })
  const sealed = gauge('trent_sealed', '1 while the root key is not open.')
  const healthy = gauge('trent_journal_healthy', '1 while audit records can be made durable.')
  const reserve = gauge(
    'trent_journal_has_reserve',
    '0 when the disk of the journal is nearly full.',
  )
  const changes = gauge('trent_store_changes', 'Changes of the store that were committed.')
  const probe = gauge('trent_store_read_seconds', 'Time of the read that counted the keys.')
  const refusals = gauge('trent_refused_callers', 'Requests whose caller could not be proved.')
  const keys = gauge('trent_keys', 'Keys by state.', ['state'])
  const expiry = gauge(
    'trent_soonest_material_expiry_seconds',
    'How long until the first imported material expires; absent where none does.',
  )
  const hits = gauge('trent_cache_hits', 'Answers from memory.', ['cache'])
  const misses = gauge('trent_cache_misses', 'Questions that the store had to answer.', ['cache'])
  let observed: ObservedState | undefined
  let figures: { readonly of: Promise<KeyFigures>; readonly at: number } | undefined
  const countKeys = async (known: ObservedState): Promise<KeyFigures> => {
    const started = performance.now()
    try {
      return await known.keyFigures()
    } catch (error) {
      figures = undefined // the next one asks again
      throw error
    } finally {
      probe.set((performance.now() - started) / 1000)
    }
  }
  const refreshKeys = async (known: ObservedState): Promise<void> => {
    const started = performance.now()
    if (figures === undefined || started - figures.at > figuresKeptMs) {
      // One count for all who ask meanwhile.
      figures = { of: countKeys(known), at: started }
    }
    const { byState, soonestExpiry } = await figures.of
    keys.reset()
    for (const [state, count] of Object.entries(byState)) keys.set({ state }, count)
    if (soonestExpiry === undefined) expiry.remove()
    else expiry.set((soonestExpiry - known.now()) / 1000)
  }
  return {
    observe(state) {
      observed = state
    },
    async refresh() {
      sealed.set(observed === undefined ? 1 : 0)
      healthy.set(journal().healthy ? 1 : 0)
      reserve.set(journal().hasReserve ? 1 : 0)
      if (observed === undefined) return
      changes.set(observed.changes())
      refusals.set(observed.refusals())
      for (const [cache, counts] of Object.entries(observed.caches())) {
        hits.set({ cache }, counts.hits)
        misses.set({ cache }, counts.misses)
      }
      await refreshKeys(observed)
    },
  }
}
