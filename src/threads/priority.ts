/** The priority of a thread. @module */
import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { basename } from 'node:path'

/** Of 19, the lowest. On a busy machine it still gets a tenth of a core. */
const niceness = 10

/**
 * Lets the system run all other threads first, where a thread has a priority of its own: on Linux. Nobody
 * may wait for the calling thread.
 */
export function lowerPriority(): void {
  if (process.platform !== 'linux') return
  try {
    // A link to `<process>/task/<thread>`.
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), niceness)
  } catch {
    // Without /proc it runs as all others do.
  }
}
