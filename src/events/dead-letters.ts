/**
 * Dead letters: events that the webhook did not take, in `<data>/dead-events.jsonl`. Each line holds an
 * event as it would have been sent, with the reason. An operator may move the file away; the next dead
 * letter begins a new one.
 *
 * INVARIANT (nothing in between): lines are durable before their rows are deleted. After a crash an
 * event may be in the file and be sent as well, under the same id.
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
   * @returns false when the file is full
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
      // The file is opened each time because it may have been moved away.
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

/**
 * Returns what ends a line that a crash or a full disk has cut. Such a line is not valid JSON, and its
 * event is still in the store.
 */
async function endOfTorn(file: FileHandle, size: number): Promise<string> {
  if (size === 0) return ''
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] === 0x0a ? '' : '\n'
}
