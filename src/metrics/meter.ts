/**
 * The server's metrics for Prometheus. They are aggregates only: no label names an account, a key or a
 * caller, and each label has a closed set of values, so that nobody can create an unbounded number of
 * series.
 * @module
 */
import {
  AggregatorRegistry,
  Counter,
  Registry,
  type MetricObjectWithValues,
  type MetricValue,
} from 'prom-client'
import type { EventOutcome } from '../events/send-events.ts'
import { Durations, type Observe } from './durations.ts'
import { createEventCounter } from './event-counter.ts'
import type { KeyState } from '../model/key.ts'
import { anyState, usableStates } from '../model/key-state.ts'
import { breakGlassActs, type BreakGlassAct } from '../model/break-glass.ts'
import { createGauges, type Readers } from './gauges.ts'
import { createHsmCalls, type HsmCalls } from './hsm-calls.ts'
import { createProxyCalls, type ProxyCalls } from './proxy-calls.ts'

export interface Meter extends ProxyCalls, HsmCalls {
  /** Counts an answered request; `operation` is undefined if no operation was found for it. */
  answered(operation: MeteredOperation | undefined, outcome: string, milliseconds: number): void
  /** Durations, in milliseconds. */
  readonly authorized: (milliseconds: number) => void
  readonly worked: (milliseconds: number) => void
  readonly appended: (milliseconds: number) => void
  readonly synced: (milliseconds: number) => void
  /** Counts events by outcome. */
  readonly countEvents: (outcome: EventOutcome, events: number) => void
  /**
   * Counts a failure of the audit journal, a checkpoint or delivery; the error itself is in the log.
   */
  journalFailed(): void
  /** Counts a use that the key's state did not allow. */
  refusedUse(state: KeyState): void
  /** Counts acts of operators in spite of every policy. */
  brokeGlass(act: BreakGlassAct['act']): void
  /** Counts a row or key material that the server did not write. */
  forged(what: 'row' | 'material'): void
  /** Registers readers of gauges. */
  observe(readers: Readers): void
  /** All metrics of this worker, for another worker to merge. */
  figures(): Promise<MeterFigures>
  /** All metrics, merged with those of other workers, in Prometheus's text format. */
  text(): Promise<string>
  readonly contentType: string
}

export type MeterFigures = readonly MetricObjectWithValues<MetricValue<string>>[]

export interface MeteredOperation {
  readonly service: string
  readonly name: string
}

/** Seconds. */
const requestBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const workBuckets = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.025, 0.1, 1,
]

/** @param others the metrics of each other worker */
export function createMeter(
  others: () => Promise<readonly MeterFigures[]> = () => Promise.resolve([]),
): Meter {
  const registry = new Registry()
  const registers = [registry]
  const answered = createAnswered(registers)
  const durations = (name: string, help: string, buckets: readonly number[]): Observe =>
    new Durations({ name, help, registers }, buckets).of()
  const authorized = durations(
    'trent_authorization_seconds',
    'Time to authorize a call.',
    workBuckets,
  )
  const worked = durations(
    'trent_crypto_seconds',
    'Time of one operation of a key store, including its time in queues.',
    workBuckets,
  )
  const appended = durations(
    'trent_journal_append_seconds',
    'Time until an audit record was durable.',
    requestBuckets,
  )
  const synced = durations(
    'trent_journal_fsync_seconds',
    'Time of one durable write of the audit journal.',
    requestBuckets,
  )
  const damage = createDamageCounters(registers)
  const refusedUse = createRefusedUses(registers)
  const countEvents = createEventCounter(registers)
  const gauges = createGauges(registry)
  const figures = async (): Promise<MeterFigures> => {
    await gauges.refresh()
    return registry.getMetricsAsJSON()
  }
  return {
    answered,
    authorized,
    worked,
    appended,
    synced,
    countEvents,
    ...createProxyCalls(registers),
    ...createHsmCalls(registers),
    ...damage,
    refusedUse,
    brokeGlass: createBreakGlasses(registers),
    observe: (readers) => gauges.observe(readers),
    figures,
    async text() {
      const [own, further] = await Promise.all([figures(), others()])
      return further.length === 0 ? registry.metrics() : together([own, ...further])
    },
    contentType: registry.contentType,
  }
}

function together(all: readonly MeterFigures[]): Promise<string> {
  // The library's types omit that it accepts what `getMetricsAsJSON` returns.
  return AggregatorRegistry.aggregate(all as never).metrics()
}

const nothingFound: MeteredOperation = { service: 'none', name: 'unknown' }

/** The series of one operation. */
interface Answers {
  readonly observe: Observe
  /** Requests by outcome that the counter does not have yet. */
  readonly counts: Map<string, number>
}

function createAnswered(registers: Registry[]): Meter['answered'] {
  const byOperation = new Map<MeteredOperation, Answers>()
  const requests: Counter = new Counter({
    name: 'trent_requests_total',
    help: 'Requests answered, by operation and outcome: success, or the code of the error.',
    labelNames: ['service', 'operation', 'outcome'],
    registers,
    collect: () => {
      for (const [{ service, name: operation }, { counts }] of byOperation) {
        for (const [outcome, count] of counts) requests.inc({ service, operation, outcome }, count)
        counts.clear()
      }
    },
  })
  const latency = new Durations(
    {
      name: 'trent_request_seconds',
      help: 'Time from the complete request to its answer, with its audit record durable.',
      labelNames: ['service', 'operation'],
      registers,
    },
    requestBuckets,
  )
  const answersOf = (operation: MeteredOperation): Answers => {
    const known = byOperation.get(operation)
    if (known !== undefined) return known
    const observe = latency.of({ service: operation.service, operation: operation.name })
    const answers = { observe, counts: new Map<string, number>() }
    byOperation.set(operation, answers)
    return answers
  }
  return (operation = nothingFound, outcome, milliseconds) => {
    const { observe, counts } = answersOf(operation)
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
    observe(milliseconds)
  }
}

function createRefusedUses(registers: Registry[]): Meter['refusedUse'] {
  const counter = new Counter({
    name: 'trent_refused_uses_total',
    help: 'Refused uses of keys, by the key state that did not allow them.',
    labelNames: ['state'],
    registers,
  })
  // Every series exists from the start, so that `rate()` sees the first increment.
  for (const state of anyState) if (!usableStates.includes(state)) counter.inc({ state }, 0)
  return (state) => counter.inc({ state })
}

function createBreakGlasses(registers: Registry[]): Meter['brokeGlass'] {
  const counter = new Counter({
    name: 'trent_break_glass_total',
    help: 'Acts of operators in spite of every policy: keys unlocked, root users reset.',
    labelNames: ['act'],
    registers,
  })
  // Every series exists from the start, so that `increase()` sees the first increment.
  for (const act of breakGlassActs) counter.inc({ act }, 0)
  return (act) => counter.inc({ act })
}

function createDamageCounters(registers: Registry[]): Pick<Meter, 'journalFailed' | 'forged'> {
  const failures = new Counter({
    name: 'trent_journal_errors_total',
    help: 'Errors of the audit journal, its checkpoints and its outbox.',
    registers,
  })
  const forged = new Counter({
    name: 'trent_forged_total',
    help: 'Reads of a row or a key material that is not what the server had written: it counts as absent.',
    labelNames: ['what'],
    registers,
  })
  for (const what of ['row', 'material']) forged.inc({ what }, 0)
  return { journalFailed: () => failures.inc(), forged: (what) => forged.inc({ what }) }
}
