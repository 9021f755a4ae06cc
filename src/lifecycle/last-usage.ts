/**
 * When each key was last used. A crash loses the uses of the last `saveDelayMs` milliseconds; the audit
 * journal still has them.
 * @module
 */
import type { KeyRecord, KeyRef } from '../model/key.ts'
import type { LastUsage, NotedUsage } from '../model/last-usage.ts'
import type { Store } from '../store/store.ts'
import { createLatestNotes, latestOf } from './latest-notes.ts'
import type { KeyUsages } from '../operations/contract/dependencies.ts'

/** Other nodes see a use after at most this delay and the time of one transaction. */
const saveDelayMs = 2000
/** This many keys are saved at once, without waiting for the delay. */
const savedMax = 5000
/**
 * While the store fails, the keys with the oldest uses are forgotten beyond this number: about 20 MB.
 */
const keptMax = 50_000

export interface OpenKeyUsages extends KeyUsages {
  /** Noted uses of a key that are not saved yet. */
  remembered(name: string): readonly NotedUsage[]
  /** Notes a use when its audit record is durable. */
  note(key: KeyRecord, usage: Omit<LastUsage, keyof KeyRef>): void
  /**
   * Saves what is in memory. Nothing may be noted after this call, and the store must still be open.
   */
  close(): Promise<void>
}

export interface KeyUsagesOptions {
  readonly store: Pick<Store, 'findLastUsage' | 'saveLastUsages'>
  /** The value that `Store.trackUsageSince` returned. */
  readonly since: number
  /** Called when uses could not be saved; they are tried again. */
  readonly onError: (error: Error) => void
  /** The answer of `remembered` in the other workers. */
  readonly elsewhere?: ((name: string) => Promise<readonly NotedUsage[]>) | undefined
  /** See `KeyUsages.settle`; left out if there are no other nodes. */
  readonly settle?: ((name: string) => Promise<number | undefined>) | undefined
  readonly saveDelayMs?: number
  readonly savedMax?: number
  readonly keptMax?: number
}

export function createKeyUsages(options: KeyUsagesOptions): OpenKeyUsages {
  const { store, since, onError } = options
  const notes = createLatestNotes<NotedUsage>({
    saveDelayMs,
    savedMax,
    keptMax,
    ...options,
    nameOf,
    replaces: (usage, known) =>
      known.keyCreatedAt !== usage.keyCreatedAt || known.usedAt <= usage.usedAt,
    save: (usages) => store.saveLastUsages(usages),
    onError: (cause) => onError(new Error('last uses of keys are not saved yet', { cause })),
  })
  return {
    since,
    note({ accountId, region, keyId, createdAt: keyCreatedAt }, usage) {
      notes.note({ accountId, region, keyId, keyCreatedAt, ...usage })
    },
    async lastOf(key) {
      // Memory is read before the store: a use that is saved in between would otherwise be missed in
      // both.
      const known = await notes.known(nameOf(key))
      const remembered = known.filter(({ keyCreatedAt }) => keyCreatedAt === key.createdAt)
      const stored = await store.findLastUsage(key)
      if (stored?.usedAt === undefined) return latestOf<LastUsage>(remembered) ?? stored
      return latestOf<LastUsage>([...remembered, stored])
    },
    settle: async (key) => options.settle?.(nameOf(key)),
    remembered: (name) => notes.remembered(name),
    close: () => notes.close(),
  }
}

/** Accounts and Regions hold no slash. */
function nameOf({ accountId, region, keyId }: KeyRef): string {
  return `${accountId}/${region}/${keyId}`
}
