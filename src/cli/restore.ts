/**
 * `trent restore`: restores a backup into an empty deployment, offline. Before anything is written, it reads
 * the whole backup, and the log of what happened after it.
 * @module
 */
import { join } from 'node:path'
import { findJournal } from '../audit/journal/found-journal.ts'
import { readBackup, type BackupReader } from '../backup/format.ts'
import { restoreBackup, type Applied } from '../backup/restore.ts'
import { verifyRows } from '../backup/verify.ts'
import { ConfigError, loadConfig, type Config } from '../config.ts'
import { systemRandom } from '../crypto/entropy.ts'
import { nodeFiles } from '../disk/files.ts'
import { createClock } from '../jobs/clock.ts'
import { inJson, visibleIn } from '../model/visible.ts'
import { makeDataDirectory } from '../server/data-directory.ts'
import { unfinishedRestore } from '../server/found-data.ts'
import { readStoredState } from '../store/offline.ts'
import { openDatabase } from '../store/open.ts'
import { readPostgresState } from '../store/postgres/postgres-state.ts'
import { bytesOf, reported } from './backup.ts'
import { openKeyring, type SealChoice } from './open-backup.ts'
import { createProgress } from './progress.ts'
import { readLogAfter, shown, type LogSources } from './restore-log.ts'
import { changeLine, recordedChangesMax, shownChange, type ShownChange } from './shown-changes.ts'

interface Options extends SealChoice, LogSources {
  /** As it was typed: `7,12-15`. */
  readonly acceptChanges?: string
  readonly acceptResurrection?: true
  readonly json?: true
}

/** Numbers that a lost server may have used after the end of its delivered log. */
const unseenChanges = 1_000_000

interface Restored {
  readonly deploymentId: string
  /** ISO 8601, UTC: the time of the backup. */
  readonly createdAt: string
  readonly change: number
  readonly rows: number
  /** Changes of the log that took something away which the backup had. It is taken away again. */
  readonly takenAway: number
  /** The last change in the log. */
  readonly lastLogged: number
  /** Changes that may have taken something away, and are not repeated. */
  readonly unrepeated: readonly ShownChange[]
  readonly acceptedResurrection: boolean
}

export async function restore(
  configFile: string | undefined,
  file: string,
  options: Options,
): Promise<void> {
  await reported(async () => {
    // It is read twice, so it cannot come from a pipe.
    if (file === '-') throw new ConfigError('name the file of the backup: a restore reads it twice')
    const config = loadConfig(process.env, configFile)
    await requireNoDeployment(config)
    const reader = await readBackup(bytesOf(file))
    const { deploymentId, change, createdAt } = reader.header
    const { dataDirectory, databaseUrl: url, accountId, region } = config
    const keyring = await openKeyring(reader, options, () => config)
    // All of it is read before anything is written.
    const checking = createProgress(process.stderr, reader.header.rows, 'rows are checked')
    const { forged, forgedCount } = await verifyRows(reader, keyring, checking.reached).finally(
      checking.end,
    )
    const log = await readLogAfter(reader.header, options, { dataDirectory, keyring })
    const { apply, last, mayGoOn } = log
    const unrepeated = log.unrepeated.map(shownChange)
    const refusals = refusalsOf(
      unrepeated,
      [...forgedRows(forged, forgedCount), ...log.refusals],
      options,
    )
    const told = (applied: Applied) => ({
      deploymentId,
      createdAt: new Date(createdAt).toISOString(),
      change,
      lastLogged: last,
      ...outcomeOf(applied, unrepeated),
      acceptedResurrection: refusals.length + unrepeated.length > 0,
    })
    const again = await readAgain(file, reader)
    await makeDataDirectory(dataDirectory)
    const journal = { files: nodeFiles, directory: join(dataDirectory, 'journal') }
    const { streams } = await findJournal(journal)
    const database = await openDatabase({ path: join(dataDirectory, 'trent.db'), url })
    try {
      const restoring = createProgress(process.stderr, again.header.rows, 'rows are restored')
      const { rows, ...applied } = await database.alone(() =>
        restoreBackup(
          again,
          {
            apply,
            last: mayGoOn ? last + unseenChanges : last,
            onRows: restoring.reached,
            details: (done) => recordedDetails(told(done), refusals),
          },
          {
            database,
            keyring,
            clock: createClock(),
            random: systemRandom,
            accountId,
            region,
            ...(url === undefined && { streams }),
          },
        ).finally(restoring.end),
      )
      const restored: Restored = { ...told(applied), rows }
      process.stdout.write(options.json ? inJson(restored) : asText(visibleIn(restored)))
    } finally {
      await database.close()
    }
    return 0
  })
}

/** @throws {ConfigError} if it is another backup: the refusals and the log are those of the first one */
async function readAgain(file: string, { head }: BackupReader): Promise<BackupReader> {
  const again = await readBackup(bytesOf(file))
  if (again.head.equals(head)) return again
  throw new ConfigError(`${file} was replaced meanwhile: it is another backup`)
}

/** @param unrepeated what could not be repeated, whatever the backup has */
function outcomeOf(
  { taken, left }: Applied,
  unrepeated: readonly ShownChange[],
): Pick<Restored, 'takenAway' | 'unrepeated'> {
  const all = [...unrepeated, ...left.map(shownChange)]
  return {
    takenAway: new Set(taken.map((each) => each.change)).size,
    unrepeated: all.toSorted((one, other) => one.change - other.change),
  }
}

function recordedDetails(
  told: Omit<Restored, 'rows'>,
  accepted: readonly string[],
): Readonly<Record<string, unknown>> {
  const unrepeated = told.unrepeated.slice(0, recordedChangesMax)
  return { ...told, unrepeated, ...(accepted.length > 0 && { accepted }) }
}

function forgedRows(forged: readonly string[], count: number): readonly string[] {
  return count === 0 ? [] : [`somebody else wrote rows of the backup: ${shown(forged, count)}`]
}

/**
 * Why something may come back that was taken away: all of it is accepted.
 * @param others reasons apart from changes that are not repeated
 * @throws {ConfigError} unless it is accepted. All changes are listed before, so that people can go through
 *   them, and accept just these.
 */
function refusalsOf(
  unrepeated: readonly ShownChange[],
  others: readonly string[],
  { acceptChanges, acceptResurrection, json }: Options,
): readonly string[] {
  const isAccepted = acceptedChanges(acceptChanges, unrepeated)
  const left = unrepeated.filter(({ change }) => !isAccepted(change))
  const named = left.map(({ name, change }) => `${name} (change ${change})`)
  const refusals = [...others]
  if (left.length > 0)
    refusals.push(`these changes after the backup cannot be repeated: ${shown(named)}`)
  if (refusals.length === 0 || acceptResurrection) return refusals
  if (json) process.stdout.write(inJson({ refusals, unrepeated: left }))
  else process.stdout.write(left.map((each) => `${changeLine(visibleIn(each))}\n`).join(''))
  const just = left.length > 0 ? '--accept-changes with their numbers, or ' : ''
  throw new ConfigError(`${refusals.join('; ')}; or type ${just}--accept-resurrection`)
}

/** @throws {ConfigError} unless each number or span names a change that is not repeated */
function acceptedChanges(
  typed: string | undefined,
  unrepeated: readonly ShownChange[],
): (change: number) => boolean {
  const spans = typed?.split(',').map((span) => {
    const [, first = '', last = first] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(span) ?? []
    const isWithin = (change: number) => change >= Number(first) && change <= Number(last)
    if (first !== '' && unrepeated.some(({ change }) => isWithin(change))) return isWithin
    throw new ConfigError(
      `--accept-changes: no change that cannot be repeated has the number \`${span}\``,
    )
  })
  return (change) => spans?.some((isWithin) => isWithin(change)) ?? false
}

/** @throws {ConfigError} unless there is no deployment */
async function requireNoDeployment({ dataDirectory, databaseUrl }: Config): Promise<void> {
  const path = join(dataDirectory, 'trent.db')
  const isEmbedded = databaseUrl === undefined
  const { kind } = isEmbedded ? readStoredState(path) : await readPostgresState(databaseUrl)
  const name = isEmbedded ? path : 'the database'
  if (kind === 'unreadable') {
    throw new ConfigError(`${name} cannot be read: a server is using it, or it is no database`)
  }
  if (kind === 'restoring') {
    throw new ConfigError(unfinishedRestore(name, isEmbedded))
  }
  if (kind === 'deployment') {
    throw new ConfigError(`${name} holds a deployment: a backup is restored into an empty one`)
  }
}

function asText(restored: Restored): string {
  const { rows, change, createdAt, takenAway: count, lastLogged } = restored
  const lines = [
    `${rows} rows are restored, as of change ${change} at ${createdAt}`,
    `the log goes on to change ${lastLogged}: ${count} changes that took something away are applied`,
    ...(restored.acceptedResurrection ? ['what was taken away otherwise may be back'] : []),
    ...(restored.unrepeated.length > 0 ? ['repeat these changes yourself:'] : []),
    ...restored.unrepeated.map(changeLine),
    'all sessions are over; start the server with `trent serve`',
  ]
  return `${lines.join('\n')}\n`
}
