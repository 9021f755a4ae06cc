/**
 * `trent migrate sqlite-to-postgres`: moves the embedded database of a stopped server into PostgreSQL. The
 * audit journal and the other files of the data directory stay.
 * @module
 */
import { Kysely } from 'kysely'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Config, ConfigError, loadConfig } from '../config.ts'
import { systemRandom } from '../crypto/entropy.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { nodeFiles } from '../disk/files.ts'
import { visible } from '../model/visible.ts'
import { sealOf } from '../seals/choose.ts'
import { isMoved, movedName } from '../store/moved-database.ts'
import { MoveRefused, moveRows } from '../store/move-rows.ts'
import { openDatabase } from '../store/open.ts'
import { OutcomeUnknown } from '../store/postgres/postgres-failure.ts'
import { placeOf } from '../store/postgres/read-postgres.ts'
import type { Schema } from '../store/schema/schema.ts'
import { sqliteDialect } from '../store/sqlite/sqlite-dialect.ts'
import { failureOf } from '../store/sqlite/sqlite-failure.ts'
import { inlineClient } from '../store/sqlite/sqlite-inline.ts'
import { openSqlite, type SqliteConnection } from '../store/sqlite/sqlite.ts'
import { readSecret } from './secret-input.ts'
import { openKeyring, verifyWith } from './verify-database.ts'

/** Milliseconds between two lines about the same table. */
const toldEveryMs = 5000

export async function migrateToPostgres(configFile: string | undefined): Promise<void> {
  const config = loadConfig(process.env, configFile)
  const { dataDirectory, databaseUrl: url } = config
  if (url === undefined) {
    throw new ConfigError('set TRENT_DATABASE_URL to the empty database to move to')
  }
  const tell = (line: string): void => void process.stdout.write(`${visible(line)}\n`)
  try {
    await move({ config, url, path: join(dataDirectory, 'trent.db'), tell })
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError(visible(messageOf(cause)), { cause })
  }
}

interface Moving {
  readonly config: Config
  readonly url: string
  readonly path: string
  readonly tell: (line: string) => void
}

async function move(moving: Moving): Promise<void> {
  const { url, path, tell } = moving
  const moved = movedName(path)
  const source = isMoved(path) ? moved : path
  if (!existsSync(source)) throw new MoveRefused(`${path} does not exist: nothing to move`)
  if (source === path && existsSync(moved)) {
    throw new MoveRefused(`${path} and ${moved} both exist: move the one that is not meant away`)
  }
  const connection = openSqlite(source)
  try {
    const query = new Kysely<Schema>({ dialect: sqliteDialect(inlineClient(connection)) })
    const keyring = await wholeSource(query, source, moving)
    emptyLog(connection)
    const into = await openDatabase({ path: '', url })
    const rename = async (from: string, to: string): Promise<void> => {
      await nodeFiles.rename(from, to)
      await nodeFiles.syncDirectory(dirname(path))
    }
    try {
      const onComplete = (): Promise<void> => rename(source, moved)
      const rows = await moveRows({ from: query, into, keyring, onArrived: told(tell), onComplete })
      tell(`moved ${rows} rows to ${placeOf(url)}: start the server with the same settings`)
      tell(`the former database is ${moved}`)
    } catch (error) {
      const isUnknown = error instanceof OutcomeUnknown
      if (!isUnknown && source === path && isMoved(path)) await rename(moved, path)
      throw error
    } finally {
      await into.close()
    }
  } finally {
    connection.close()
  }
}

/** @throws {MoveRefused} if `trent verify-database` would find anything */
async function wholeSource(
  query: Kysely<Schema>,
  source: string,
  { config, tell }: Moving,
): Promise<Keyring> {
  tell(`verifying ${source}`)
  const seal = sealOf(config.seal, systemRandom)
  let keyring: Keyring | undefined
  const open = async (): Promise<Keyring> =>
    (keyring ??= await openKeyring(query, { seal, askSecret: (shown) => readSecret(shown) }))
  const { whole } = await verifyWith({ query, engine: 'sqlite' }, open)
  if (whole && keyring !== undefined) return keyring
  throw new MoveRefused(
    `${source} is not whole: see \`trent verify-database ${source}\`, and put a whole copy back`,
  )
}

/** Everything is then in the one file that is renamed. */
function emptyLog(connection: SqliteConnection): void {
  const { rows } = connection.run('PRAGMA wal_checkpoint(TRUNCATE)', [])
  if (rows[0]?.['busy'] !== 0) throw new Error('the log of the database could not be emptied')
}

/** Prints a line for each table, and now and then for a large one. */
function told(tell: (line: string) => void): (table: string, rows: number) => void {
  let last = { table: '', rows: 0, at: 0 }
  return (table, rows) => {
    const now = performance.now()
    if (table === last.table && now - last.at < toldEveryMs) return
    last = { table, rows, at: now }
    tell(`${table}: ${rows} rows`)
  }
}

function messageOf(error: unknown): string {
  if (error instanceof OutcomeUnknown) {
    return `${error.message}: run the command again, which says whether everything was moved`
  }
  if (failureOf(error).kind === 'conflict') return 'a server has trent.db open: stop it'
  return error instanceof Error ? error.message : 'unknown'
}
