/**
 * Runs the scheduled jobs: deletions, rotations, expiries. Each job finds what is due, handles one
 * batch in its own transactions, and runs again until nothing is left. If the process dies in between,
 * the next process does the rest.
 * @module
 */

export interface Job {
  /** For the log. */
  readonly name: string
  /** The job cannot be undone: it waits while the clock is held (`MovableClock.held`). */
  readonly irreversible?: true
  /**
   * Handles a bounded batch of what is due at `now`, milliseconds since the epoch. Returns whether more
   * may be due.
   */
  readonly run: (now: number, signal: AbortSignal) => Promise<boolean>
}

export interface Jobs {
  /** Resolves when everything that was due at the time of the call has been tried. */
  runDue(): Promise<void>
  /** Waits for the current batch; nothing runs after it. */
  close(): Promise<void>
}

/** Period between rounds, in milliseconds of the system's clock. */
const periodMs = 1000

export function createJobs(dependencies: {
  readonly jobs: readonly Job[]
  readonly clock: { readonly now: () => number }
  /** Called when a job fails; the next round tries it again. */
  readonly onError: (job: string, error: unknown) => void
  /** The reason to hold irreversible jobs; undefined when they may run. */
  readonly held?: () => string | undefined
  readonly periodMs?: number
}): Jobs {
  const closing = new AbortController()
  const { signal } = closing
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined

  const runAll = async (): Promise<void> => {
    for (const job of dependencies.jobs) {
      if (job.irreversible && dependencies.held?.() !== undefined) continue
      try {
        while (!signal.aborted && (await job.run(dependencies.clock.now(), signal))) continue
      } catch (error) {
        if (!signal.aborted) dependencies.onError(job.name, error)
      }
    }
  }
  const start = (): Promise<void> => {
    running = runAll().finally(() => {
      running = undefined
    })
    return running
  }
  // The current round may have passed jobs that have become due since, so another round follows.
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
  }, dependencies.periodMs ?? periodMs)
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
