/** Counts calls to the proxies of external key stores, and calls that their quota refused. @module */
import { Counter, type Registry } from 'prom-client'
import { Durations, type Observe } from './durations.ts'

/** What is measured of a call. */
export interface MeasuredProxyCall {
  /** The operation of the proxy API. */
  readonly xksOperation: string
  readonly milliseconds: number
  /** Absent for an answer that is believed. */
  readonly failure?: string
}

export interface ProxyCalls {
  readonly askedProxy: (call: MeasuredProxyCall) => void
  readonly throttledKeyStore: () => void
}

/** Seconds: a proxy has 250 ms. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25]
const operations = ['GetKeyMetadata', 'Encrypt', 'Decrypt', 'GetHealthStatus'] as const

export function createProxyCalls(registers: Registry[]): ProxyCalls {
  const latency = new Durations(
    {
      name: 'trent_xks_proxy_seconds',
      help: 'Time of calls to proxies of external key stores, by operation of the proxy API.',
      labelNames: ['operation'],
      registers,
    },
    buckets,
  )
  const observe = new Map<string, Observe>(
    operations.map((operation) => [operation, latency.of({ operation })]),
  )
  const errors = new Counter({
    name: 'trent_xks_proxy_errors_total',
    help: 'Calls to proxies of external key stores that failed, by operation and failure.',
    labelNames: ['operation', 'failure'],
    registers,
  })
  const throttled = new Counter({
    name: 'trent_key_store_throttled_total',
    help: 'Calls that the request quota of a custom key store refused.',
    registers,
  })
  // A query finds the metric before the first failure.
  for (const operation of operations) errors.inc({ operation, failure: 'XksProxyTimeout' }, 0)
  return {
    askedProxy({ xksOperation, milliseconds, failure }) {
      observe.get(xksOperation)?.(milliseconds)
      if (failure !== undefined) errors.inc({ operation: xksOperation, failure })
    },
    throttledKeyStore: () => throttled.inc(),
  }
}
