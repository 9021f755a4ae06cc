/**
 * Takes a backup into a directory every so often, and keeps the newest ones. The directory says when the
 * last one was taken, so the schedule goes on after a restart, and counts what is really there. Of several
 * nodes with one directory, one takes each backup.
 * @module
 */
import type { Logger } from 'pino'
import { codeOf } from '../disk/error-code.ts'
import type { FilePort } from '../disk/files.ts'
import { createJobs, type Jobs } from '../jobs/jobs.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Clock } from '../model/clock.ts'
import { BackupNotRead, type Backups } from './backups.ts'
import {
  createBackupDirectory,
  requireSafeBackupDirectory,
  type BackupDirectory,
  type KeptBackup,
} from './backup-directory.ts'
import { checkBackup } from './check.ts'
import { contentKey } from './format.ts'
import type { BackupSettings } from './settings.ts'
import type { BackupPiece, OpenBackup } from './take.ts'

export interface ScheduledBackups extends Jobs {
  readonly figures: () => ScheduleFigures
}

export interface ScheduleFigures {
  /** Since the last backup was begun; since the start if there is none. */
  readonly ageMs: number
  readonly last: KeptBackup | undefined
  /** How many backups the directory holds. */
  readonly kept: number
  /** How long the last one took that this process has taken. */
  readonly tookMs: number | undefined
  /** Failures since the last success of this process. */
  readonly failures: number
  /** Why the last one failed, if nothing has succeeded since. */
  readonly failure: string | undefined
}

export interface TakenBackup extends KeptBackup {
  readonly rows: number
}

export interface ScheduleDependencies {
  readonly settings: BackupSettings
  readonly backups: Pick<Backups, 'open'>
  readonly files: FilePort
  readonly keyring: Pick<Keyring, 'backupKey' | 'deploymentId'>
  readonly clock: Pick<Clock, 'now'>
  /** The node, or another name of this process. */
  readonly holder: string
  /** Whether this node may take a backup now. It is asked again while one is being taken. */
  readonly mayTake: () => Promise<boolean>
  /** Puts a backup on record. */
  readonly onTaken: (taken: TakenBackup) => Promise<void>
  readonly log: Pick<Logger, 'info' | 'error' | 'warn'>
}

/** Milliseconds until the next attempt after a failure. */
const retryMs = 5 * 60_000
/** Other nodes write into the directory too. */
const lookAgainMs = 60_000
/** The data directory may be on the same disk, and the journal needs this much. */
const reserveBytes = 256 * 2 ** 20
/** Bytes between two looks at the free space, and at the lease. */
const lookBytes = 16 * 2 ** 20

export function scheduleBackups(dependencies: ScheduleDependencies): ScheduledBackups {
  const { clock, log } = dependencies
  const schedule = new Schedule(dependencies)
  const jobs = createJobs({
    jobs: [{ name: 'scheduled backup', run: (now, signal) => schedule.run(now, signal) }],
    clock,
    onError: (_job, error) => log.error({ err: error }, 'a scheduled backup failed'),
  })
  return { ...jobs, figures: () => schedule.figures() }
}

class Schedule {
  readonly #dependencies: ScheduleDependencies
  readonly #directory: BackupDirectory
  readonly #since: number
  #kept: readonly KeptBackup[] = []
  #lookedAt = -Infinity
  #notBefore = 0
  #failures = 0
  #failure: string | undefined
  #tookMs: number | undefined

  constructor(dependencies: ScheduleDependencies) {
    const { files, settings, keyring, holder, clock } = dependencies
    this.#dependencies = dependencies
    const { deploymentId } = keyring
    this.#directory = createBackupDirectory(files, settings.directory, { deploymentId, holder })
    this.#since = clock.now()
  }

  figures(): ScheduleFigures {
    const now = this.#dependencies.clock.now()
    const last = this.#last(now)
    return {
      ageMs: Math.max(0, now - (last?.createdAt ?? this.#since)),
      last,
      kept: this.#kept.length,
      tookMs: this.#tookMs,
      failures: this.#failures,
      failure: this.#failure,
    }
  }

  /** Takes a backup if it is time for one. Returns false: there is never another one due. */
  async run(now: number, signal: AbortSignal): Promise<boolean> {
    if (now < this.#notBefore) return false
    try {
      if (performance.now() - this.#lookedAt > lookAgainMs) await this.#look()
      if (!this.#isDue(now) || !(await this.#dependencies.mayTake())) return false
      // Another node may have taken one since the last look.
      await this.#look()
      if (this.#isDue(now)) await this.#take(signal)
    } catch (error) {
      if (signal.aborted) throw error
      this.#notBefore = now + retryMs
      // An operator takes one: that is no failure.
      if (error instanceof BackupNotRead) return false
      this.#failures += 1
      this.#failure = reasonOf(error, this.#dependencies.settings.directory)
      throw error
    }
    return false
  }

  async #look(): Promise<void> {
    this.#kept = await this.#directory.list()
    this.#lookedAt = performance.now()
  }

  /** A backup from the future says that the clock was wrong then, and nothing about when to take one. */
  #last(now: number): KeptBackup | undefined {
    return this.#kept.find(({ createdAt }) => createdAt <= now)
  }

  #isDue(now: number): boolean {
    const last = this.#last(now)
    return last === undefined || now - last.createdAt >= this.#dependencies.settings.intervalMs
  }

  async #take(signal: AbortSignal): Promise<void> {
    const { backups, settings, onTaken, log } = this.#dependencies
    const begun = performance.now()
    await requireSafeBackupDirectory(settings.directory)
    await this.#requireRoom(this.#kept[0]?.bytes ?? 0)
    const opened = await backups.open()
    let written: KeptBackup
    try {
      written = await this.#write(opened, signal)
    } finally {
      await opened.pieces.return(undefined)
      await opened.close()
    }
    this.#tookMs = performance.now() - begun
    this.#failures = 0
    this.#failure = undefined
    const taken = { ...written, rows: opened.header.rows }
    const deleted = await this.#directory.prune(written, settings.keep)
    await this.#look()
    log.info({ ...taken, deleted, seconds: this.#tookMs / 1000 }, 'a backup was taken')
    await onTaken(taken)
  }

  #write({ header, pieces }: OpenBackup, signal: AbortSignal): Promise<KeptBackup> {
    const { keyring } = this.#dependencies
    // Now, and not when it is needed: the root key may be replaced meanwhile.
    const key = contentKey(header, keyring)
    const { deploymentId } = keyring
    const check = async (path: string): Promise<void> => {
      const rows = await checkBackup({ path, deploymentId, key: new Uint8Array(key) }, signal)
      if (rows !== header.rows) throw new Error(`it has ${rows} rows instead of ${header.rows}`)
    }
    return this.#directory
      .write(header, this.#withRoom(pieces, signal), check)
      .finally(() => key.fill(0))
  }

  async *#withRoom(
    pieces: AsyncIterable<BackupPiece>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    let unseen = 0
    for await (const { bytes } of pieces) {
      signal.throwIfAborted()
      unseen += bytes.length
      if (unseen >= lookBytes) {
        unseen = 0
        await this.#requireRoom(lookBytes)
        await this.#dependencies.mayTake()
      }
      yield bytes
    }
  }

  /** A full disk would stop calls, if the journal is on it. */
  async #requireRoom(bytes: number): Promise<void> {
    const { files, settings } = this.#dependencies
    const free = await files.freeBytes(settings.directory)
    if (free >= bytes + reserveBytes) return
    const wanted = `${free} bytes are free, and ${bytes + reserveBytes} are needed`
    throw new Error(`no room for a backup in ${settings.directory}: ${wanted}`)
  }
}

/** For status: one line. */
function reasonOf(error: unknown, directory: string): string {
  const code = codeOf(error)
  if (code === 'ENOENT') return `${directory} is missing, or is not mounted`
  if (code !== undefined) return `${directory}: ${code}`
  return error instanceof Error ? error.message : String(error)
}
