/**
 * Gauges of the server's state, read at each scrape. The part that knows a value registers a reader for
 * it. A gauge without a reader, or with one that fails, is omitted; the others are still reported.
 * @module
 */
import { Gauge, type Registry } from 'prom-client'

/** A value, or a value for each label; undefined when there is none. */
export type GaugeValue = number | Readonly<Record<string, number>> | readonly Labelled[] | undefined

export interface Labelled {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}
export type Readers = Readonly<Partial<Record<GaugeName, () => GaugeValue | Promise<GaugeValue>>>>

interface Described {
  readonly help: string
  /** How to aggregate across workers; `first` when left out: worker 0 reports for the deployment. */
  readonly over?: 'sum' | 'min' | 'max' | 'first'
  readonly label?: string
  readonly labels?: readonly string[]
}

const described = {
  trent_ready: { help: '1 while calls are served, as in /readyz.' },
  trent_sealed: { help: '1 while the root key is not open.' },
  trent_seal_opens: {
    help: '0 if the seal does not open any more: a start would stay sealed. Absent if people open it.',
  },
  trent_database_damaged: {
    help: '1 if the check after the start found damage in the database.',
  },
  trent_database_checked: {
    help: '1 if the check after the start has covered every table of the database.',
  },
  trent_freshness_seconds: {
    help: 'Time since the node last confirmed that it knows the latest changes; 0 with an embedded database.',
  },
  trent_replication: {
    help: '1 for the state of replication: synchronous, degraded or single.',
    label: 'state',
  },
  trent_freshness_bound_seconds: {
    help: 'TRENT_FRESHNESS_SECONDS: beyond it, the node refuses calls.',
  },
  trent_nodes: {
    help: 'Nodes of the deployment by state; none with an embedded database.',
    label: 'state',
  },
  trent_node_silent_seconds: {
    help: 'Time since another node last confirmed, from a minute on, with the end of its journal.',
    labels: ['node', 'name', 'stream', 'segment', 'offset'],
  },
  trent_clock_held: {
    help: '1 while the clock is held: irreversible jobs wait until it is right (`/readyz`).',
  },
  trent_clock_differs: {
    help: '1 while the clock of the node differs from the database or the other nodes.',
  },
  trent_clock_offset_seconds: {
    help: 'How far the clock of the node is ahead of the database; absent with an embedded database.',
  },
  trent_tls_certificate_expiry_seconds: {
    help: 'Time until the first certificate of the chain in use expires; absent without TLS.',
  },
  trent_tls_files_refused: {
    help: '1 while the files of TLS are wrong and the former ones stay in use.',
  },
  trent_xks_proxy_tls_certificate_expiry_seconds: {
    help: 'The same for the listener of XKS proxies; absent if none is served.',
  },
  trent_xks_proxy_tls_files_refused: {
    help: '1 while the files of TLS of that listener are wrong and the former ones stay in use.',
  },
  trent_journal_healthy: { over: 'min', help: '1 while audit records can be made durable.' },
  trent_journal_has_reserve: {
    over: 'min',
    help: '0 when the disk of the journal is nearly full.',
  },
  trent_journal_free_bytes: { over: 'min', help: 'Free space on the disk of the journal.' },
  trent_journal_waiting_records: { over: 'sum', help: 'Audit records that are not durable yet.' },
  trent_journal_waiting_bytes: {
    over: 'sum',
    help: 'Bytes of audit records that are not durable yet.',
  },
  trent_journal_unanchored_records: {
    over: 'sum',
    help: 'Audit records behind the last checkpoint.',
  },
  trent_journal_unanchored_seconds: {
    over: 'max',
    help: 'How long the first record behind the last checkpoint has waited; 0 without one.',
  },
  trent_journal_checkpoint_age_seconds: { over: 'max', help: 'Time since the last checkpoint.' },
  trent_outbox_records: {
    over: 'sum',
    help: 'Audit records of committed changes that the journal does not hold yet.',
  },
  trent_event_index_lag_seconds: {
    help: 'How long LookupEvents and usage have been behind the journal; 0 if up to date.',
  },
  trent_delivery_lag_seconds: {
    help: 'All older audit records have been delivered; absent without delivery.',
  },
  trent_delivery_waiting_files: { help: 'Files that wait to be delivered.' },
  trent_delivery_failures: {
    help: 'Failures of a step of delivery since its last success.',
    label: 'step',
  },
  trent_backup_age_seconds: {
    help: 'Time since the last scheduled backup, or since the start without one; absent without a schedule.',
  },
  trent_backup_interval_seconds: { help: 'Time between two scheduled backups.' },
  trent_backup_seconds: { help: 'Duration of the last scheduled backup of this node.' },
  trent_backup_bytes: { help: 'Size of the last scheduled backup.' },
  trent_backups_kept: { help: 'Scheduled backups in the directory.' },
  trent_backup_failures: { help: 'Failures of scheduled backups since the last success.' },
  trent_events_waiting: { help: 'Events that the webhook has not taken yet.' },
  trent_events_oldest_waiting_seconds: {
    help: 'How long the oldest waiting event has waited; 0 without one.',
  },
  trent_store_changes: { help: 'Committed changes of the store.' },
  trent_store_read_seconds: { help: 'Duration of the last count of keys.' },
  trent_refused_callers: { over: 'sum', help: 'Requests that failed authentication.' },
  trent_keys: { help: 'Keys by state.', label: 'state' },
  trent_soonest_material_expiry_seconds: {
    help: 'Time until the first imported material expires; absent if none does.',
  },
  trent_cache_hits: { over: 'sum', help: 'Cache hits.', label: 'cache' },
  trent_cache_misses: {
    over: 'sum',
    help: 'Cache misses: the store had to answer.',
    label: 'cache',
  },
} as const satisfies Readonly<Record<string, Described>>

export type GaugeName = keyof typeof described

export interface Gauges {
  /** Registers readers, in addition to those before. */
  observe(readers: Readers): void
  /** Reads all gauges. */
  refresh(): Promise<void>
}

export function createGauges(registry: Registry): Gauges {
  const gauges = Object.entries(described).map(
    ([name, { help, label, labels, over = 'first' }]: [string, Described]) => ({
      name: name as GaugeName, // the table's own keys
      label,
      hasLabels: label !== undefined || labels !== undefined,
      gauge: new Gauge({
        name,
        help,
        labelNames: labels ?? (label === undefined ? [] : [label]),
        registers: [registry],
        aggregator: over,
      }),
    }),
  )
  let readers: Readers = {}
  const refresh = async ({
    name,
    label,
    hasLabels,
    gauge,
  }: (typeof gauges)[number]): Promise<void> => {
    const reading = await read(readers[name])
    gauge.reset() // sets a gauge without labels to 0 instead of removing it
    if (!hasLabels) gauge.remove()
    if (typeof reading === 'number') gauge.set(reading)
    else if (isLabelled(reading)) for (const of of reading) gauge.set({ ...of.labels }, of.value)
    else if (reading !== undefined && label !== undefined) {
      for (const [of, value] of Object.entries(reading)) gauge.set({ [label]: of }, value)
    }
  }
  return {
    observe(more) {
      readers = { ...readers, ...more }
    },
    async refresh() {
      await Promise.all(gauges.map(refresh))
    },
  }
}

function isLabelled(reading: GaugeValue): reading is readonly Labelled[] {
  return Array.isArray(reading)
}

/** A gauge that cannot be read is omitted; there are alerts for its absence. */
async function read(reader: Readers[GaugeName]): Promise<GaugeValue> {
  try {
    return await reader?.()
  } catch {
    return undefined
  }
}

/**
 * Shares one answer among all calls within `forMs` milliseconds; after a failure the next call asks
 * again.
 */
export function cached<T>(ask: () => Promise<T>, forMs: number): () => Promise<T> {
  let answer: { readonly of: Promise<T>; readonly at: number } | undefined
  return () => {
    const now = performance.now()
    if (answer === undefined || now - answer.at > forMs) {
      const of = ask()
      answer = { of, at: now }
      of.catch(() => {
        if (answer?.of === of) answer = undefined
      })
    }
    return answer.of
  }
}
