/**
 * Backups that are read in parts, by an operator's command or by the schedule. The reader sets the pace, so
 * nothing piles up. One backup is read at a time; one that a command does not go on reading is closed.
 * @module
 */
import { openBackup, type BackupPiece, type BackupSource, type OpenBackup } from './take.ts'
import type { BackupHeader } from './header.ts'

/** Another command reads a backup, or this one is over. The message is one line. */
export class BackupNotRead extends Error {}

export interface BackupPart {
  readonly bytes: Buffer
  /** Rows in the parts so far. */
  readonly rows: number
  readonly isLast: boolean
}

export interface Backups {
  /** Opens a backup. The caller closes it, also after its last piece. @throws {BackupNotRead} */
  readonly open: () => Promise<OpenBackup>
  /** @throws {BackupNotRead} */
  readonly begin: () => Promise<{ readonly id: string; readonly header: BackupHeader }>
  /**
   * The next part.
   * @param part counts from 1
   * @throws {BackupNotRead}
   */
  readonly read: (id: string, part: number) => Promise<BackupPart>
  readonly close: () => Promise<void>
}

/** An answer holds it as base64. */
const partBytes = 2 ** 20
const idleMsMax = 60_000

interface Reading {
  readonly id: string
  readonly pieces: AsyncGenerator<BackupPiece>
  readonly close: () => Promise<void>
  part: number
  isBusy: boolean
  left: Buffer
  idle?: NodeJS.Timeout
}

/** Opens one backup at a time: the copy of an embedded database that it reads has one name. */
function openOneOf(source: BackupSource): () => Promise<OpenBackup> {
  let isOpen = false
  return async () => {
    if (isOpen) throw new BackupNotRead('another backup is being taken: try again when it is done')
    isOpen = true
    const closed = (): void => {
      isOpen = false
    }
    try {
      const opened = await openBackup(source)
      return { ...opened, close: () => opened.close().finally(closed) }
    } catch (error) {
      closed()
      throw error
    }
  }
}

export function createBackups(source: BackupSource): Backups {
  const open = openOneOf(source)
  let reading: Reading | undefined
  const end = async (ended: Reading): Promise<void> => {
    clearTimeout(ended.idle)
    if (reading === ended) reading = undefined
    try {
      await ended.pieces.return(undefined)
    } finally {
      await ended.close()
    }
  }
  const rest = (one: Reading): void => {
    clearTimeout(one.idle)
    one.idle = setTimeout(() => void end(one).catch(() => undefined), idleMsMax).unref()
  }
  return {
    open,
    async begin() {
      const { header, pieces, close } = await open()
      const id = source.random.uuid()
      reading = { id, pieces, close, part: 0, isBusy: false, left: Buffer.alloc(0) }
      rest(reading)
      return { id, header }
    },
    async read(id, part) {
      const one = reading
      if (one?.id !== id || one.isBusy || part !== one.part + 1) {
        throw new BackupNotRead('this backup is over: take another one')
      }
      one.isBusy = true
      clearTimeout(one.idle)
      try {
        let [bytes, rows, isLast] = [one.left, 0, false]
        while (bytes.length < partBytes && !isLast) {
          const next = await one.pieces.next()
          isLast = next.done === true
          if (!isLast && next.value) {
            bytes = Buffer.concat([bytes, next.value.bytes])
            rows = next.value.rows
          }
        }
        const whole = bytes.length > partBytes ? bytes.subarray(0, partBytes) : bytes
        one.left = bytes.subarray(whole.length)
        one.part = part
        const isOver = isLast && one.left.length === 0
        if (isOver) await end(one)
        else rest(one)
        return { bytes: whole, rows, isLast: isOver }
      } catch (error) {
        await end(one)
        throw error
      } finally {
        one.isBusy = false
      }
    },
    async close() {
      if (reading !== undefined) await end(reading)
    },
  }
}
