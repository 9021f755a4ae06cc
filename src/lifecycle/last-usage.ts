/**
 * When each key was last used. A use is noted in memory, and what has changed is saved together a
 * little later: no call writes to the database for it.
 *
 * INVARIANT (no use is forgotten by a stop): `close` saves what is in memory. A crash loses the uses of
 * the last `saveDelayMs`, which the audit journal still has.
 * @module
 */
import type { KeyRecord, KeyRef } from '../model/key.ts'
import type { LastUsage, NotedUsage } from '../model/last-usage.ts'
import type { KeyUsages } from '../operations/operation.ts'
import type { Store } from '../store/store.ts'

/** Other nodes see a use no later than this and the time that a transaction takes. */
const saveDelayMs = 2000
/** So many keys are saved at once, without waiting for the delay. */
const savedMax = 5000
/** While the store fails, the longest unused are forgotten beyond this: about 20 MB. */
const keptMax = 50_000

export interface OpenKeyUsages extends KeyUsages {
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
  readonly saveDelayMs?: number
  readonly savedMax?: number
  readonly keptMax?: number
}

export function createKeyUsages(options: KeyUsagesOptions): OpenKeyUsages {
  return new RunningKeyUsages(options)
}

class RunningKeyUsages implements OpenKeyUsages {
  readonly since: number
  readonly #options: Required<KeyUsagesOptions>
  /** By key, the one that was noted longest ago first. */
  #noted = new Map<string, NotedUsage>()
  /** On their way into the store. */
  #saving: ReadonlyMap<string, NotedUsage> = new Map()
  #timer: NodeJS.Timeout | undefined
  #saved: Promise<void> | undefined
  /** The store has failed: the next attempt waits for the timer, however much there is. */
  #failing = false
  #closing = false

  constructor(options: KeyUsagesOptions) {
    this.#options = { saveDelayMs, savedMax, keptMax, ...options }
    this.since = options.since
  }

  note(key: KeyRecord, usage: Omit<LastUsage, keyof KeyRef>): void {
    const { accountId, region, keyId, createdAt: keyCreatedAt } = key
    this.#keep({ accountId, region, keyId, keyCreatedAt, ...usage })
    if (this.#closing) return
    if (this.#noted.size >= this.#options.savedMax && !this.#failing) this.#save()
    else this.#saveLater()
  }

  async lastOf(key: KeyRecord): Promise<LastUsage | undefined> {
    const name = nameOf(key)
    // Before the store is asked: what is saved meanwhile would be missed in both.
    const remembered = [this.#noted.get(name), this.#saving.get(name)].filter(
      (usage) => usage?.keyCreatedAt === key.createdAt,
    )
    const stored = await this.#options.store.findLastUsage(key)
    return [...remembered, stored].reduce(later, undefined)
  }

  async close(): Promise<void> {
    this.#closing = true
    clearTimeout(this.#timer)
    await this.#saved
    this.#save()
    await this.#saved
  }

  /** Keeps the later of two uses of one key, within the bound. */
  #keep(usage: NotedUsage): void {
    const name = nameOf(usage)
    const known = this.#noted.get(name)
    const same = known?.keyCreatedAt === usage.keyCreatedAt
    if (same && known.usedAt > usage.usedAt) return
    this.#noted.delete(name)
    this.#noted.set(name, usage)
    const [oldest] = this.#noted.keys()
    if (this.#noted.size > this.#options.keptMax && oldest !== undefined) this.#noted.delete(oldest)
  }

  #saveLater(): void {
    // A stop waits for `close`; the timer alone keeps no process alive.
    this.#timer ??= setTimeout(() => this.#save(), this.#options.saveDelayMs).unref()
  }

  #save(): void {
    if (this.#saved !== undefined) return // what is noted meanwhile goes with the next
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#noted.size === 0) return
    this.#saving = this.#noted
    this.#noted = new Map()
    this.#saved = this.#attempt([...this.#saving.values()]).finally(() => {
      this.#saved = undefined
      if (this.#noted.size > 0 && !this.#closing) this.#saveLater()
    })
  }

  async #attempt(usages: readonly NotedUsage[]): Promise<void> {
    try {
      await this.#options.store.saveLastUsages(usages)
      this.#failing = false
    } catch (error) {
      this.#failing = true
      const noted = this.#noted
      this.#noted = new Map()
      for (const usage of [...usages, ...noted.values()]) this.#keep(usage)
      this.#options.onError(new Error('last uses of keys are not saved yet', { cause: error }))
    }
    this.#saving = new Map()
  }
}

/** The later of two uses; of two at the same time, the one that was given first. */
function later(one: LastUsage | undefined, other: LastUsage | undefined): LastUsage | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return other.usedAt > one.usedAt ? other : one
}

/** Neither an account nor a Region holds a slash. */
function nameOf({ accountId, region, keyId }: KeyRef): string {
  return `${accountId}/${region}/${keyId}`
}
