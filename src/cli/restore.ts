/**
 * `trent restore`: restores a backup into an empty deployment, offline. Before anything is written, it reads
 * the whole backup, and the log of what happened after it.
 * @module
 */
import { createReadStream, existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { recordTextOf } from '../audit/journal/frame.ts'
import { findJournal } from '../audit/journal/found-journal.ts'
import { logBytesMax, namesBelow, textOf } from '../audit/verify/delivered-files.ts'
import { proveJournal } from '../audit/verify/prove-journal.ts'
import { readBackup, type BackupReader } from '../backup/format.ts'
import { collectChanges, type LoggedChange, type LoggedChanges } from '../backup/logged-changes.ts'
import { restoreBackup } from '../backup/restore.ts'
import { takeAway } from '../backup/take-away.ts'
import { takenAway } from '../backup/taken-away.ts'
import { verifyRows } from '../backup/verify.ts'
import { ConfigError, loadConfig, type Config } from '../config.ts'
import { systemRandom } from '../crypto/entropy.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { fingerprintOf } from '../crypto/statements.ts'
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

interface Options extends SealChoice {
  readonly journal?: readonly string[]
  readonly delivered?: readonly string[]
  readonly acceptResurrection?: true
  readonly json?: true
}

/** Numbers that a lost server may have used after the end of its delivered log. */
const unseenChanges = 1_000_000
/** Changes named in one line. */
const shownMax = 5

interface Restored {
  readonly deploymentId: string
  /** ISO 8601, UTC: the time of the backup. */
  readonly createdAt: string
  readonly change: number
  readonly rows: number
  /** Changes of the log that were applied again because they had taken something away. */
  readonly takenAway: number
  /** The last change in the log. */
  readonly lastLogged: number
  readonly acceptedResurrection: boolean
}

export async function restore(
  configFile: string | undefined,
  file: string,
  options: Options,
): Promise<void> {
  await reported(async () => {
    const config = loadConfig(process.env, configFile)
    await requireNoDeployment(config)
    const reader = await readBackup(bytesOf(file))
    const { deploymentId, change, createdAt } = reader.header
    const journals = await journalsOf(config, deploymentId, options)
    const keyring = await openKeyring(reader, options, () => config)
    // All of it is read before anything is written.
    await verifyRows(reader, keyring)
    const log = await readLog(journals, options.delivered ?? [], reader, keyring)
    const { apply, refusals } = judged(
      log.end(),
      journals.length + (options.delivered ?? []).length,
    )
    const [refusal] = refusals
    if (refusal !== undefined && !options.acceptResurrection) {
      throw new ConfigError(`${refusal}; or type --accept-resurrection`)
    }
    const { last } = log.end()
    const told = {
      deploymentId,
      createdAt: new Date(createdAt).toISOString(),
      change,
      takenAway: apply.length,
      lastLogged: last,
      acceptedResurrection: refusal !== undefined,
    }
    await makeDataDirectory(config.dataDirectory)
    const { dataDirectory, databaseUrl: url, accountId, region } = config
    const database = await openDatabase({ path: join(dataDirectory, 'trent.db'), url })
    try {
      const again = await readBackup(createReadStream(file))
      const clock = createClock()
      const { rows } = await restoreBackup(
        again,
        {
          apply,
          last: journals.length > 0 ? last : last + unseenChanges,
          details: { ...told, ...(refusal !== undefined && { accepted: refusals }) },
        },
        { database, keyring, clock, random: systemRandom, accountId, region },
      )
      const restored: Restored = { ...told, rows }
      process.stdout.write(options.json ? inJson(restored) : asText(visibleIn(restored)))
    } finally {
      await database.close()
    }
    return 0
  })
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

/** The named journals, and the one that is left in the data directory. @throws {ConfigError} */
async function journalsOf(
  { dataDirectory }: Config,
  deploymentId: string,
  { journal = [] }: Options,
): Promise<readonly string[]> {
  const own = join(dataDirectory, 'journal')
  const left = existsSync(own) ? [own] : []
  const directories = [...new Set([...journal.map((each) => resolve(each)), ...left])]
  const used: string[] = []
  for (const directory of directories) {
    if (!existsSync(directory)) throw new ConfigError(`${directory} is missing`)
    const found = await findJournal({ files: nodeFiles, directory })
    const { deployment = deploymentId } = found
    if (deployment !== deploymentId) {
      throw new ConfigError(
        `${directory} is of deployment ${deployment}, and the backup of ${deploymentId}`,
      )
    }
    if (found.streams.length > 0) used.push(directory)
  }
  return used
}

async function readLog(
  journals: readonly string[],
  delivered: readonly string[],
  { header }: Pick<BackupReader, 'header'>,
  keyring: Keyring,
): Promise<LoggedChanges> {
  const log = collectChanges(header.change)
  const pinned = keyring.statementKeys.map(({ publicKey }) => fingerprintOf(publicKey))
  for (const directory of journals) {
    const { whole, breaks } = await proveJournal(directory, {
      pinned,
      onFrame(_stream, { kind, payload }) {
        // Most records are not of a change, so they are not parsed.
        if (kind === 'record' && payload.includes('"change":')) {
          log.see(parsed(recordTextOf(payload)))
        }
        return undefined
      },
    })
    const [first] = breaks
    if (!whole && first !== undefined) {
      throw new ConfigError(`the journal in ${directory} is not whole: ${first.file}: ${first.why}`)
    }
  }
  for (const directory of delivered) {
    if (!existsSync(directory)) throw new ConfigError(`${directory} is missing`)
    const archive = { files: nodeFiles, directory: resolve(directory), breaks: [] }
    for (const name of await namesBelow(archive, '')) {
      if (!name.endsWith('.json.gz') || name.includes('/CloudTrail-Digest/')) continue
      const text = await textOf(archive, name, logBytesMax)
      const { Records: records } = Object(parsed(text)) as { readonly Records?: unknown }
      if (!Array.isArray(records)) throw new ConfigError(`${name} in ${directory} cannot be read`)
      for (const record of records) log.see(record)
    }
  }
  return log
}

function parsed(text: Buffer | undefined): unknown {
  try {
    return JSON.parse(text?.toString('utf8') ?? '')
  } catch {
    return undefined
  }
}

/** What to apply, and why a restore could bring back what was taken away. */
function judged(
  { changes, missing, isEmpty, last }: ReturnType<LoggedChanges['end']>,
  sources: number,
): { readonly apply: readonly LoggedChange[]; readonly refusals: readonly string[] } {
  const { apply, unknown } = takenAway(changes, new Set(Object.keys(takeAway)))
  const named = unknown.slice(0, shownMax).map(({ name, change }) => `${name} (change ${change})`)
  const more = unknown.length > shownMax ? ` and ${unknown.length - shownMax} more` : ''
  return {
    apply,
    refusals: [
      ...(sources === 0 || isEmpty
        ? [
            'what was deleted or revoked after the backup would come back: name the log with ' +
              '--journal or --delivered',
          ]
        : []),
      ...(missing > 0
        ? [`the log lacks ${missing} changes after the backup, up to change ${last}`]
        : []),
      ...(unknown.length > 0
        ? [`these changes after the backup cannot be repeated: ${named.join(', ')}${more}`]
        : []),
    ],
  }
}

function asText(restored: Restored): string {
  const { rows, change, createdAt, takenAway: count, lastLogged } = restored
  const lines = [
    `${rows} rows are restored, as of change ${change} at ${createdAt}`,
    `the log goes on to change ${lastLogged}: ${count} changes that took something away are applied`,
    ...(restored.acceptedResurrection ? ['what was taken away otherwise may be back'] : []),
    'all sessions are over; start the server with `trent serve`',
  ]
  return `${lines.join('\n')}\n`
}
