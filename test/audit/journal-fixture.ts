/** A small journal in memory, and records for it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { eventIdOf } from '../../src/audit/journal/frame.ts'
import {
  JournalFailed,
  type JournalOptions,
  type OpenJournal,
} from '../../src/audit/journal/journal.ts'
import { openJournal } from '../../src/audit/journal/open-journal.ts'
import { verifyJournal, type JournalReport } from '../../src/audit/verify/verify.ts'
import { walkStream } from '../../src/audit/journal/walk-stream.ts'
import type { MemoryFiles } from './memory-files.ts'

export const directory = '/data/journal'
export const stream = 'worker-0'
export const segmentPath = (number: number): string =>
  join(directory, stream, `${String(number).padStart(12, '0')}.seg`)

export function eventId(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
}

export function recordOf(id: string, filler = ''): string {
  return JSON.stringify({ eventID: id, eventName: 'Encrypt', filler })
}

export interface Opened {
  readonly journal: OpenJournal
  readonly errors: Error[]
  readonly fatal: Error[]
}

export async function open(
  files: MemoryFiles,
  options: Partial<JournalOptions> = {},
): Promise<Opened> {
  const errors: Error[] = []
  const fatal: Error[] = []
  const journal = await openJournal({
    directory,
    stream,
    files: files.boot(),
    clock: { system: () => 1_800_000_000_000 },
    segmentBytes: 8192,
    reopenDelayMs: 1,
    onError: (error) => errors.push(error),
    onFatal: (error) => fatal.push(error),
    ...options,
  })
  return { journal, errors, fatal }
}

/** A clock that advances two minutes at each reading, so that no two errors fall within a minute. */
export function leapingClock(): { readonly system: () => number } {
  let now = 1_800_000_000_000
  return { system: () => (now += 120_000) }
}

export function append(journal: OpenJournal, n: number, filler = ''): Promise<void> {
  return journal.append(eventId(n), recordOf(eventId(n), filler))
}

/** Event ids of the records that count, in order; a flaw fails the test. */
export async function heldIds(files: MemoryFiles): Promise<readonly string[]> {
  const ids: string[] = []
  const walk = walkStream({ files, directory, stream }, 1, (frame) => {
    if (frame.kind === 'record') ids.push(eventIdOf(frame.payload))
  })
  for await (const { flaw } of walk) assert.equal(flaw, undefined)
  return ids
}

export function verify(files: MemoryFiles): Promise<JournalReport> {
  return verifyJournal(directory, { files })
}

/** Waits by turns of the event loop, not by the clock, until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000; turn += 1) {
    if (condition()) return
    await new Promise((resolve) => void setImmediate(resolve))
  }
  assert.fail('the condition never held')
}

/** Which appends were acknowledged; the others must have failed as expected. */
export function settled(promises: readonly Promise<void>[]): Promise<readonly boolean[]> {
  return Promise.all(
    promises.map((promise) =>
      promise.then(
        () => true,
        (error: unknown) => {
          assert.ok(error instanceof JournalFailed)
          return false
        },
      ),
    ),
  )
}
