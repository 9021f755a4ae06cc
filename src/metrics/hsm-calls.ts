/** Counts calls to the HSMs of custom key stores. @module */
import { Counter, type Registry } from 'prom-client'
import { hsmOperations } from '../keystores/hsm/hsm-calls.ts'
import type { HsmFailure } from '../keystores/hsm/hsm-failure.ts'
import { Durations, type Observe } from './durations.ts'

export interface MeasuredHsmCall {
  readonly operation: (typeof hsmOperations)[number]
  readonly milliseconds: number
  /** Absent for a call that succeeded. */
  readonly failure?: HsmFailure
}

export interface HsmCalls {
  readonly askedHsm: (call: MeasuredHsmCall) => void
}

/** Seconds: a library that hangs for ten is killed. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function createHsmCalls(registers: Registry[]): HsmCalls {
  const latency = new Durations(
    {
      name: 'trent_hsm_seconds',
      help: 'Time of calls to HSMs of custom key stores, by operation.',
      labelNames: ['operation'],
      registers,
    },
    buckets,
  )
  const observe = new Map<string, Observe>(
    hsmOperations.map((operation) => [operation, latency.of({ operation })]),
  )
  const errors = new Counter({
    name: 'trent_hsm_errors_total',
    help: 'Calls to HSMs of custom key stores that failed, by operation and failure.',
    labelNames: ['operation', 'failure'],
    registers,
  })
  // Every series exists from the start, so that `rate()` sees the first increment.
  for (const operation of hsmOperations) errors.inc({ operation, failure: 'NETWORK_ERRORS' }, 0)
  return {
    askedHsm({ operation, milliseconds, failure }) {
      observe.get(operation)?.(milliseconds)
      if (failure !== undefined) errors.inc({ operation, failure })
    },
  }
}
