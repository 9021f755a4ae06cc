/** Breaks in work that would otherwise keep other calls waiting. @module */
import { setImmediate } from 'node:timers/promises'

/** Lets other calls have their turn. @throws the signal's reason once it has aborted */
export async function pause(signal: AbortSignal): Promise<void> {
  await setImmediate()
  signal.throwIfAborted()
}
