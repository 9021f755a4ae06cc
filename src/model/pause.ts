/** Pauses in long work, so that it does not block other calls. @module */
import { setImmediate } from 'node:timers/promises'

/** Lets other calls run. @throws the signal's reason if it has aborted */
export async function pause(signal: AbortSignal): Promise<void> {
  await setImmediate()
  signal.throwIfAborted()
}
