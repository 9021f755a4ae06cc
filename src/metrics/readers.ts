/** Readers of the gauges of a running server. @module */
import type { Anchors } from '../audit/journal/anchors.ts'
import { readCheckpoint } from '../audit/journal/checkpoint.ts'
import type { Delivery } from '../audit/delivery/delivery.ts'
import type { OpenJournal } from '../audit/journal/journal.ts'
import type { Outbox } from '../audit/outbox.ts'
import type { Refusals } from '../authenticate/refusals.ts'
import type { MovableClock } from '../jobs/clock.ts'
import type { Store } from '../store/store.ts'
import { cached, type Readers } from './gauges.ts'
import type { Lookup } from '../cache/cached-records.ts'

/** In milliseconds; longer than the others because counting keys reads a whole index. */
const keysKeptMs = 15_000
/** One reading serves all gauges that come from it. */
const sharedMs = 500

/** Gauges that exist before the root key is open. */
export function journalReaders(
  journal: Pick<OpenJournal, 'healthy' | 'hasReserve' | 'lag'>,
): Readers {
  return {
    trent_journal_healthy: () => Number(journal.healthy),
    trent_journal_has_reserve: () => Number(journal.hasReserve),
    trent_journal_free_bytes: () => journal.lag.freeBytes,
    trent_journal_waiting_records: () => journal.lag.records,
    trent_journal_waiting_bytes: () => journal.lag.bytes,
    trent_journal_unanchored_records: () => journal.lag.unanchored,
    trent_journal_unanchored_seconds: () => journal.lag.unanchoredMs / 1000,
  }
}

/** Gauges of each worker's own state, in addition to its journal. */
export function workerReaders(of: {
  readonly clock: Pick<MovableClock, 'system'>
  readonly anchors: Pick<Anchors, 'last'>
  readonly outbox: Pick<Outbox, 'unsettled'>
  readonly lookup: Pick<Lookup, 'counts'>
  readonly refusals: Pick<Refusals, 'count'>
}): Readers {
  const { clock, anchors, outbox, lookup, refusals } = of
  const caches = (what: 'hits' | 'misses'): Record<string, number> =>
    Object.fromEntries(
      Object.entries(lookup.counts()).map(([name, counts]) => [name, counts[what]]),
    )
  return {
    trent_journal_checkpoint_age_seconds: () => {
      const time = readCheckpoint(anchors.last.text)?.time
      return time === undefined ? undefined : Math.max(0, clock.system() - time) / 1000
    },
    trent_outbox_records: () => outbox.unsettled,
    trent_refused_callers: () => refusals.count(),
    trent_cache_hits: () => caches('hits'),
    trent_cache_misses: () => caches('misses'),
  }
}

/** Gauges that need the root key and describe the whole deployment. */
export function deploymentReaders(of: {
  readonly store: Pick<Store, 'epoch' | 'keyFigures' | 'eventFigures'>
  readonly clock: Pick<MovableClock, 'now' | 'held'>
  readonly delivery: Pick<Delivery, 'figures'>
}): Readers {
  const { store, clock, delivery } = of
  const keys = cached(async () => {
    const started = performance.now()
    const figures = await store.keyFigures()
    return { ...figures, readSeconds: (performance.now() - started) / 1000 }
  }, keysKeptMs)
  const delivered = cached(() => delivery.figures(), sharedMs)
  const events = cached(() => store.eventFigures(), sharedMs)
  return {
    trent_clock_held: () => Number(clock.held() !== undefined),
    trent_delivery_lag_seconds: async () => {
      const until = (await delivered())?.deliveredUntil
      return until === undefined ? undefined : Math.max(0, clock.now() - until) / 1000
    },
    trent_delivery_waiting_files: async () => (await delivered())?.waitingFiles,
    trent_delivery_failures: async () => (await delivered())?.failures,
    trent_events_waiting: async () => (await events()).waiting,
    trent_events_oldest_waiting_seconds: async () => {
      const { oldestAt } = await events()
      return oldestAt === undefined ? 0 : Math.max(0, clock.now() - oldestAt) / 1000
    },
    trent_store_changes: () => store.epoch(),
    trent_store_read_seconds: async () => (await keys()).readSeconds,
    trent_keys: async () => (await keys()).byState,
    trent_soonest_material_expiry_seconds: async () => {
      const { soonestExpiry } = await keys()
      return soonestExpiry === undefined ? undefined : (soonestExpiry - clock.now()) / 1000
    },
  }
}
