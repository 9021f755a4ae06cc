/**
 * When each key was last used. A crash loses the uses of the last `saveDelayMs`, which the audit journal
 * still has.
 * @module
 */
import type { KeyRecord, KeyRef } from '../model/key.ts'
import type { LastUsage, NotedUsage } from '../model/last-usage.ts'
import type { Store } from '../store/store.ts'
import { createLatestNotes, latestOf } from './latest-notes.ts'
import type { KeyUsages } from '../operations/contract/dependencies.ts'

/** Other nodes see a use no later than this and the time that a transaction takes. */
const saveDelayMs = 2000
/** So many keys are saved at once, without waiting for the delay. */
const savedMax = 5000
/** While the store fails, the longest unused are forgotten beyond this: about 20 MB. */
const keptMax = 50_000

export interface OpenKeyUsages extends KeyUsages {
  /** What is noted of a key and not yet saved. */
  remembered(name: string): readonly NotedUsage[]
  /** Notes a use whose audit record is durable. */
  note(key: KeyRecord, usage: Omit<LastUsage, keyof KeyRef>): void
  /** Saves what is in memory. Nothing may be noted any more, and the store must still be open. */
  close(): Promise<void>
}

export interface KeyUsagesOptions {
  readonly store: Pick<Store, 'findLastUsage' | 'saveLastUsages'>
  /** What `Store.trackUsageSince` answered. */
  readonly since: number
  /** Hears that uses could not be saved: they are tried again. */
  readonly onError: (error: Error) => void
  /** What `remembered` answers in other workers. */
  readonly elsewhere?: ((name: string) => Promise<readonly NotedUsage[]>) | undefined
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
      // Before the store is asked: what is saved meanwhile would be missed in both.
      const known = await notes.known(nameOf(key))
      const remembered = known.filter(({ keyCreatedAt }) => keyCreatedAt === key.createdAt)
      const stored = await store.findLastUsage(key)
      if (stored?.usedAt === undefined) return latestOf<LastUsage>(remembered) ?? stored
      return latestOf<LastUsage>([...remembered, stored])
    },
    remembered: (name) => notes.remembered(name),
    close: () => notes.close(),
  }
}

/** Neither an account nor a Region holds a slash. */
function nameOf({ accountId, region, keyId }: KeyRef): string {
  return `${accountId}/${region}/${keyId}`
}
