/**
 * The latest of what happens often to one thing: noted in memory, and saved together a little later, so
 * that no call writes to the database for it.
 *
 * INVARIANT (nothing is forgotten by a stop): `close` saves what is in memory. A crash loses what was
 * noted in the last `saveDelayMs`.
 * @module
 */

export interface LatestNotesOptions<Note> {
  /** Of what thing a note is. */
  readonly nameOf: (note: Note) => string
  /** Whether a note takes the place of one that is known of its thing. */
  readonly replaces: (note: Note, known: Note) => boolean
  readonly save: (notes: readonly Note[]) => Promise<void>
  /** Hears that notes could not be saved: they are tried again. */
  readonly onError: (cause: unknown) => void
  /** What other workers have noted of a thing and not yet saved; nobody else notes when left out. */
  readonly elsewhere?: ((name: string) => Promise<readonly Note[]>) | undefined
  readonly saveDelayMs: number
  /** So many are saved at once, without waiting for the delay. */
  readonly savedMax: number
  /** While the store fails, those that were noted longest ago are forgotten beyond this. */
  readonly keptMax: number
}

export interface LatestNotes<Note> {
  readonly note: (note: Note) => void
  /** What is known of a thing and not yet saved, the latest first. */
  readonly remembered: (name: string) => readonly Note[]
  /** The same, and what other workers know. */
  readonly known: (name: string) => Promise<readonly Note[]>
  /** Saves what is in memory. Nothing may be noted any more, and the store must still be open. */
  readonly close: () => Promise<void>
}

export function createLatestNotes<Note>(options: LatestNotesOptions<Note>): LatestNotes<Note> {
  const running = new RunningNotes(options)
  return {
    note: (note) => running.note(note),
    remembered: (name) => running.remembered(name),
    known: async (name) => [
      ...running.remembered(name),
      ...((await options.elsewhere?.(name)) ?? []),
    ],
    close: () => running.close(),
  }
}

/** Of two at the same time, the one that was given first. */
export function latestOf<Note extends { readonly usedAt: number }>(
  notes: readonly Note[],
): Note | undefined {
  const [first, ...others] = notes
  return others.reduce((one, other) => (one && other.usedAt > one.usedAt ? other : one), first)
}

class RunningNotes<Note> {
  readonly #options: LatestNotesOptions<Note>
  /** By thing, the one that was noted longest ago first. */
  #noted = new Map<string, Note>()
  /** On their way into the store. */
  #saving: ReadonlyMap<string, Note> = new Map()
  #timer: NodeJS.Timeout | undefined
  #saved: Promise<void> | undefined
  /** The store has failed: the next attempt waits for the timer, however much there is. */
  #failing = false
  #closing = false

  constructor(options: LatestNotesOptions<Note>) {
    this.#options = options
  }

  note(note: Note): void {
    this.#keep(note)
    if (this.#closing) return
    if (this.#noted.size >= this.#options.savedMax && !this.#failing) this.#save()
    else this.#saveLater()
  }

  remembered(name: string): readonly Note[] {
    return [this.#noted.get(name), this.#saving.get(name)].filter((note) => note !== undefined)
  }

  async close(): Promise<void> {
    this.#closing = true
    clearTimeout(this.#timer)
    await this.#saved
    this.#save()
    await this.#saved
  }

  /** Keeps the later of two notes of one thing, within the bound. */
  #keep(note: Note): void {
    const name = this.#options.nameOf(note)
    const known = this.#noted.get(name)
    if (known !== undefined && !this.#options.replaces(note, known)) return
    this.#noted.delete(name)
    this.#noted.set(name, note)
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

  async #attempt(notes: readonly Note[]): Promise<void> {
    try {
      await this.#options.save(notes)
      this.#failing = false
    } catch (cause) {
      this.#failing = true
      const noted = this.#noted
      this.#noted = new Map()
      for (const note of [...notes, ...noted.values()]) this.#keep(note)
      this.#options.onError(cause)
    }
    this.#saving = new Map()
  }
}
