/**
 * What the server is like when its numbers are read. Whoever knows a value says how it is read; one that
 * nobody knows yet, or that cannot be read, is left out, and the others are told all the same.
 * @module
 */
import { Gauge, type Registry } from 'prom-client'

/** By label where there is one; undefined where there is nothing to tell. */
export type Reading = number | Readonly<Record<string, number>> | undefined
export type Readers = Readonly<Partial<Record<GaugeName, () => Reading | Promise<Reading>>>>

interface Described {
  readonly help: string
  /** What those of several workers come to; the first one's holds for all where it is left out. */
  readonly over?: 'sum' | 'min' | 'max' | 'first'
  readonly label?: string
}

const described = {
  trent_ready: { help: '1 while calls are served, as /readyz says.' },
  trent_sealed: { help: '1 while the root key is not open.' },
  trent_database_damaged: {
    help: '1 when the check after the start found damage in the database.',
  },
  trent_database_checked: {
    help: '1 when the check after the start has looked at every table of the database.',
  },
  trent_clock_held: {
    help: '1 while nobody vouches for the clock, and nothing is done that cannot be undone.',
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
    help: 'How long the first record behind the last checkpoint has waited; 0 when there is none.',
  },
  trent_journal_checkpoint_age_seconds: { over: 'max', help: 'Time since the last checkpoint.' },
  trent_outbox_records: {
    over: 'sum',
    help: 'Audit records of committed changes that the journal does not hold yet.',
  },
  trent_event_index_lag_seconds: {
    help: 'How long LookupEvents and usage have been behind the journal; 0 when they are not.',
  },
  trent_delivery_lag_seconds: {
    help: 'All audit records that are older have been delivered; absent where nothing delivers.',
  },
  trent_delivery_waiting_files: { help: 'Files that are made and not delivered.' },
  trent_delivery_failures: {
    help: 'Failures of a step of delivery since it last succeeded.',
    label: 'step',
  },
  trent_events_waiting: { help: 'Events that the webhook has not taken yet.' },
  trent_events_oldest_waiting_seconds: {
    help: 'How long the oldest of those events has waited; 0 when there is none.',
  },
  trent_store_changes: { help: 'Changes of the store that were committed.' },
  trent_store_read_seconds: { help: 'Time of the read that counted the keys.' },
  trent_refused_callers: { over: 'sum', help: 'Requests whose caller could not be proved.' },
  trent_keys: { help: 'Keys by state.', label: 'state' },
  trent_soonest_material_expiry_seconds: {
    help: 'How long until the first imported material expires; absent where none does.',
  },
  trent_cache_hits: { over: 'sum', help: 'Answers from memory.', label: 'cache' },
  trent_cache_misses: {
    over: 'sum',
    help: 'Questions that the store had to answer.',
    label: 'cache',
  },
} as const satisfies Readonly<Record<string, Described>>

export type GaugeName = keyof typeof described

export interface Gauges {
  /** From now on these are read so. */
  observe(readers: Readers): void
  /** Reads them all. */
  refresh(): Promise<void>
}

export function createGauges(registry: Registry): Gauges {
  const gauges = Object.entries(described).map(
    ([name, { help, label, over = 'first' }]: [string, Described]) => ({
      name: name as GaugeName, // the table's own
      label,
      gauge: new Gauge({
        name,
        help,
        labelNames: label === undefined ? [] : [label],
        registers: [registry],
        aggregator: over,
      }),
    }),
  )
  let readers: Readers = {}
  const refresh = async ({ name, label, gauge }: (typeof gauges)[number]): Promise<void> => {
    const reading = await read(readers[name])
    gauge.reset() // a gauge without labels is 0 then, and not absent
    if (label === undefined) gauge.remove()
    if (typeof reading === 'number') gauge.set(reading)
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

/** Its absence says that it cannot be read: there are alarms for that. */
async function read(reader: Readers[GaugeName]): Promise<Reading> {
  try {
    return await reader?.()
  } catch {
    return undefined
  }
}

/** One answer for all who ask within `forMs` milliseconds; after a failure the next one asks again. */
export function kept<T>(ask: () => Promise<T>, forMs: number): () => Promise<T> {
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
