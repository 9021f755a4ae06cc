/** A schedule of backups with a clock that tests move, for tests. @module */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { createBackups } from '../../src/backup/backups.ts'
import {
  scheduleBackups,
  type ScheduleDependencies,
  type ScheduledBackups,
} from '../../src/backup/scheduled-backups.ts'
import { nodeFiles, type FilePort, type OpenFile } from '../../src/disk/files.ts'
import type { OwnedDatabase } from '../../src/store/open.ts'
import { engines, temporaryFolder } from '../store/engines.ts'
import { keyring, prepared } from './prepared.ts'

export const hourMs = 3_600_000
export const begin = Date.UTC(2026, 10, 30, 10)

export interface Scheduled {
  readonly directory: string
  /** Moves the clock, and takes what is due. */
  readonly after: (ms: number) => Promise<void>
  readonly figures: ScheduledBackups['figures']
  /** The names in the directory. */
  readonly names: () => string[]
  readonly taken: readonly { readonly name: string; readonly rows: number }[]
  readonly errors: readonly unknown[]
  readonly schedule: ScheduledBackups
  /** The same schedule in a new process. */
  readonly restarted: () => Promise<Scheduled>
  /** Another process with the same directory, at the same time. */
  readonly another: (more?: Partial<ScheduleDependencies>) => Scheduled
}

export function scheduled(
  t: TestContext,
  directory: string,
  source: Parameters<typeof createBackups>[0],
  more: Partial<ScheduleDependencies> = {},
  clock = { time: begin },
): Scheduled {
  const taken: { readonly name: string; readonly rows: number }[] = []
  const errors: unknown[] = []
  const now = (): number => clock.time
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (fields: { readonly err?: unknown }) => void errors.push(fields.err),
  } as never // only these, and only with fields
  const schedule = scheduleBackups({
    settings: { directory, intervalMs: hourMs, keep: 3 },
    backups: createBackups({ ...source, clock: { now } }),
    files: nodeFiles,
    keyring,
    clock: { now },
    holder: 'one',
    mayTake: () => Promise.resolve(true),
    onTaken: async ({ name, rows }) => void taken.push({ name, rows }),
    log,
    ...more,
  })
  t.after(() => schedule.close())
  return {
    directory,
    async after(ms) {
      clock.time += ms
      await schedule.runDue()
    },
    figures: schedule.figures,
    names: () => readdirSync(directory).toSorted(),
    taken,
    errors,
    schedule,
    async restarted() {
      await schedule.close()
      return scheduled(t, directory, source, more, clock)
    },
    another: (others) => scheduled(t, directory, source, { ...more, ...others }, clock),
  }
}

export async function opened(
  t: TestContext,
  more: Partial<ScheduleDependencies> = {},
  keys = 50,
  engine = engines[0],
): Promise<Scheduled & { readonly database: OwnedDatabase }> {
  assert.ok(engine)
  const { database } = await engine.open(t)
  const { source } = await prepared(database, keys)
  return { database, ...scheduled(t, temporaryFolder(t), source, more) }
}

/** The real file system, with other writes into new files. */
export function writingBy(write: (file: OpenFile) => OpenFile['write']): FilePort {
  return {
    ...nodeFiles,
    async create(path) {
      const file = await nodeFiles.create(path)
      return { ...file, write: write(file) }
    },
  }
}
