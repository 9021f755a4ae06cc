/**
 * Events that the webhook would not take, `<data>/dead-events.jsonl`: one a line, as it would have been sent,
 * with the reason. It is for whoever sees to them: moved away, it is begun anew.
 *
 * INVARIANT (nothing in between): lines are durable before the rows that they come from go. After a crash
 * an event may be here and be sent as well, under its one id.
 * @module
 */
import { open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { nodeFiles } from '../disk/files.ts'
import type { OutgoingEvent } from '../model/outgoing-event.ts'

export interface DeadLetters {
  /**
   * Makes the events durable, all of them or none.
   * @param at milliseconds since the epoch
   * @returns false where the file has no room for them
   */
  append(events: readonly OutgoingEvent[], why: string, at: number): Promise<boolean>
}

export const deadBytesMax = 64 * 1024 * 1024

export function createDeadLetters(path: string, bytesMax: number = deadBytesMax): DeadLetters {
  return {
    async append(events, why, at) {
      const deadAt = new Date(at).toISOString()
      const head = JSON.stringify({ deadAt, why }).slice(0, -1)
      const text = events.map(({ body }) => `${head},"event":${body}}\n`).join('')
      // Opened each time: it may have been moved away.
      const file = await open(path, 'a+', 0o600)
      try {
        const { size } = await file.stat()
        if (size + Buffer.byteLength(text) + 1 > bytesMax) return false
        await file.appendFile(`${await endOfTorn(file, size)}${text}`)
        await file.sync()
      } finally {
        await file.close()
      }
      await nodeFiles.syncDirectory(dirname(path))
      return true
    },
  }
}

/** What ends a line that a crash or a full disk has cut: it is no JSON, and its event was kept. */
async function endOfTorn(file: FileHandle, size: number): Promise<string> {
  if (size === 0) return ''
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] === 0x0a ? '' : '\n'
}
