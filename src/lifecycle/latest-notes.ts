/**
 * Keeps the latest note about each thing (a key, a role), for things that are used often. Notes are
 * collected in memory and saved together a little later, so that no call writes to the database.
 *
 * INVARIANT (a stop forgets nothing): `close` saves what is in memory. A crash loses what was noted in
 * the last `saveDelayMs` milliseconds.
 * @module
 */

export interface LatestNotesOptions<Note> {
  /** The name of the thing that a note is about. */
  readonly nameOf: (note: Note) => string
  /** Whether a note replaces the known one of the same thing. */
  readonly replaces: (note: Note, known: Note) => boolean
  readonly save: (notes: readonly Note[]) => Promise<void>
  /** Called when notes could not be saved; they are tried again. */
  readonly onError: (cause: unknown) => void
  /**
   * Notes of other workers about a thing that are not saved yet; left out if there are no other
   * workers.
   */
  readonly elsewhere?: ((name: string) => Promise<readonly Note[]>) | undefined
  readonly saveDelayMs: number
  /** This many notes are saved at once, without waiting for the delay. */
  readonly savedMax: number
  /** While the store fails, the oldest notes are forgotten beyond this number. */
  readonly keptMax: number
}

export interface LatestNotes<Note> {
  readonly note: (note: Note) => void
  /** Notes about a thing that are not saved yet, latest first. */
  readonly remembered: (name: string) => readonly Note[]
  /** The same, with the notes of other workers. */
  readonly known: (name: string) => Promise<readonly Note[]>
  /**
   * Saves what is in memory. Nothing may be noted after this call, and the store must still be open.
   */
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

/** The latest of the given notes; the first one given wins a tie. */
export function latestOf<Note extends { readonly usedAt: number }>(
  notes: readonly Note[],
): Note | undefined {
  const [first, ...others] = notes
  return others.reduce((one, other) => (one && other.usedAt > one.usedAt ? other : one), first)
}

class RunningNotes<Note> {
  readonly #options: LatestNotesOptions<Note>
  /** By thing. While the store fails, the oldest note comes first. */
  #noted = new Map<string, Note>()
  /** Notes that are being saved. */
  #saving: ReadonlyMap<string, Note> = new Map()
  #timer: NodeJS.Timeout | undefined
  #saved: Promise<void> | undefined
  /** The store has failed: the next attempt waits for the timer, however many notes there are. */
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

  /** Keeps the later of two notes about one thing, within the bound. */
  #keep(note: Note): void {
    const name = this.#options.nameOf(note)
    const known = this.#noted.get(name)
    if (known !== undefined && !this.#options.replaces(note, known)) return
    // Only then is one forgotten, so the order matters. Elsewhere each move would cost a call some garbage.
    if (this.#failing) this.#noted.delete(name)
    this.#noted.set(name, note)
    const [oldest] = this.#noted.keys()
    if (this.#noted.size > this.#options.keptMax && oldest !== undefined) this.#noted.delete(oldest)
  }

  #saveLater(): void {
    // `close` keeps a stop waiting; the timer must not keep the process alive.
    this.#timer ??= setTimeout(() => this.#save(), this.#options.saveDelayMs).unref()
  }

  #save(): void {
    if (this.#saved !== undefined) return // later notes are saved next
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
