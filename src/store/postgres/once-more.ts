/** Work that is asked for more often than it has to run. @module */

/**
 * Runs `work` when it is asked for, and once more if it is asked for meanwhile: what is running may not see
 * what it is asked for. Failures are left to whoever finds the same later by itself.
 */
export function onceMore(work: () => Promise<void>): () => void {
  let isBusy = false
  let again = false
  const run = async (): Promise<void> => {
    do {
      again = false
      await work().catch(() => undefined)
    } while (again)
    // Nothing can run in between, so no question is lost.
    isBusy = false
  }
  return () => {
    again = true
    if (isBusy) return
    isBusy = true
    void run()
  }
}
