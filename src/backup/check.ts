/** Reads a backup that was just written, from its file. @module */
import { createThread } from '../threads/thread.ts'

export interface BackupToCheck {
  readonly path: string
  readonly deploymentId: string
  /** The key of its content. It is moved to the thread that reads, which overwrites it. */
  readonly key: Uint8Array<ArrayBuffer>
}

export type CheckQuestions = {
  readonly check: readonly [BackupToCheck, number]
}

/**
 * Opens and counts all rows of a backup.
 * @returns the number of rows
 * @throws unless it is whole
 */
export async function checkBackup(backup: BackupToCheck, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted()
  const thread = createThread<CheckQuestions>({
    program: new URL('check-thread.ts', import.meta.url),
    name: 'backup check',
    isolated: true,
  })
  const end = (): void => void thread.end()
  signal.addEventListener('abort', end, { once: true })
  try {
    return await thread.ask('check', backup, { transfer: [backup.key.buffer] })
  } finally {
    signal.removeEventListener('abort', end)
    await thread.end()
  }
}
