/**
 * What the clock starts: deletions, rotations, expiries. Each job looks for what is due, does a batch of
 * it in changes of its own, and is asked again until nothing is left; a process that dies in between
 * leaves the rest to the next.
 * @module
 */

export interface Job {
  /** For the log. */
  readonly name: string
  /** It cannot be undone: it waits while nobody vouches for the clock. */
  readonly irreversible?: true
  /**
   * Does a bounded batch of what is due at `now`, milliseconds since the epoch, and answers whether
   * more may be due.
   */
  readonly run: (now: number, signal: AbortSignal) => Promise<boolean>
}

export interface Jobs {
  /** Resolves when everything that was due at the call's time was tried. */
  runDue(): Promise<void>
  /** Waits for the batch under way; nothing runs after it. */
  close(): Promise<void>
}

/** How often is looked, in milliseconds of the system's clock. */
const periodMs = 1000

export function createJobs(ports: {
  readonly jobs: readonly Job[]
  readonly clock: { readonly now: () => number }
  /** Hears of a job that failed; it is tried again at the next look. */
  readonly onError: (job: string, error: unknown) => void
  /** Why what cannot be undone waits; undefined when it does not. */
  readonly held?: () => string | undefined
  readonly periodMs?: number
}): Jobs {
  const closing = new AbortController()
  const { signal } = closing
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined

  const look = async (): Promise<void> => {
    for (const job of ports.jobs) {
      if (job.irreversible && ports.held?.() !== undefined) continue
      try {
        while (!signal.aborted && (await job.run(ports.clock.now(), signal))) continue
      } catch (error) {
        if (!signal.aborted) ports.onError(job.name, error)
      }
    }
  }
  const start = (): Promise<void> => {
    running = look().finally(() => {
      running = undefined
    })
    return running
  }
  // A look that is under way may have passed what has become due since: another follows it.
  const runDue = (): Promise<void> => {
    if (signal.aborted) return Promise.resolve()
    if (running === undefined) return start()
    next ??= running.then(() => {
      next = undefined
      return signal.aborted ? undefined : start()
    })
    return next
  }
  const timer = setInterval(() => {
    if (running === undefined) void start()
  }, ports.periodMs ?? periodMs)
  timer.unref()
  return {
    runDue,
    async close() {
      clearInterval(timer)
      closing.abort()
      await next
      await running
    },
  }
}
