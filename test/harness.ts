/**
 * A real server on a port of loopback, for tests: temporary data, fixed root credentials.
 * @module
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KMSClient } from '@aws-sdk/client-kms'
import { pino, type Logger } from 'pino'
import { parseConfig } from '../src/config.ts'
import { startServer, type RunningServer } from '../src/server/start.ts'
import type { ServerOptions } from '../src/server/options.ts'
import type { TestDatabase } from './store/postgres/shared-server.ts'

export const accountId = '111122223333'
export const region = 'us-west-2'
export const credentials = {
  accessKeyId: 'TESTROOT',
  secretAccessKey: 'test-secret-access-key',
} as const

export interface TestServer {
  readonly url: string
  readonly port: number
  readonly directory: string
  readonly server: RunningServer
  /** Everything that the server has logged, for tests that look for what must not be there. */
  readonly logged: readonly string[]
  /** A client of the official SDK, which does not retry. */
  client(settings?: Partial<ConstructorParameters<typeof KMSClient>[0]>): KMSClient
  /** Stops it, and deletes its data unless `keep`. */
  stop(keep?: 'keep'): Promise<void>
}

type Settings = Parameters<typeof parseConfig>[0]

/** @param directory an earlier server's data, to start again with it */
export async function startTestServer(
  settings: Settings = {},
  options: Partial<ServerOptions> & { readonly directory?: string } = {},
): Promise<TestServer> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'trent-test-')))
  const database = await databaseFor(directory)
  const config = parseConfig({
    TRENT_LISTEN: '127.0.0.1:0',
    ...(database && { TRENT_DATABASE_URL: database.url }),
    TRENT_DATA_DIR: directory,
    TRENT_ACCOUNT_ID: accountId,
    TRENT_REGION: region,
    TRENT_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
    TRENT_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ...workersFor(options),
    ...settings,
  })
  const logged: string[] = []
  const server = await startServer(config, {
    log: collectingLog(logged),
    onFatal: (error) => {
      throw error
    },
    ...options,
  })
  database?.users.add(server)
  // People open any other seal than a key file.
  if (options.seal === undefined && config.seal.kind === 'file') await server.ready
  const clients: KMSClient[] = []
  const url = `${config.tls === undefined ? 'http' : 'https'}://127.0.0.1:${server.port}`
  return {
    url,
    port: server.port,
    directory,
    server,
    logged,
    client(overrides = {}) {
      const client = new KMSClient({
        region,
        endpoint: url,
        credentials,
        maxAttempts: 1,
        ...(config.tls && { requestHandler: trusting(config.tls.cert) }),
        ...overrides,
      })
      clients.push(client)
      return client
    },
    async stop(keep) {
      for (const client of clients) client.destroy()
      await server.stop()
      if (keep === undefined) await rm(directory, { recursive: true, force: true })
      await database?.release(server, keep)
    },
  }
}

/** Trusts the server's own certificate, whoever has signed it. */
function trusting(path: string): { readonly httpsAgent: Agent } {
  const ca = readFileSync(path)
  return { httpsAgent: new Agent({ ca, allowPartialTrustChain: true }) }
}

interface Database extends TestDatabase {
  readonly users: Set<RunningServer>
  /** Drops it at the last stop, if one of them was not to keep it. */
  readonly release: (user: RunningServer, keep?: 'keep') => Promise<void>
}

/** The databases of servers that may start again, by their data directories. */
const databases = new Map<string, Database>()

/** For what reads or writes a stopped server's database; undefined for the embedded one. */
export function databaseUrlOf(directory: string): string | undefined {
  return databases.get(directory)?.url
}

/** With `TEST_DATABASE=postgresql`, each server has a database in PostgreSQL. */
const isOnPostgres = process.env['TEST_DATABASE'] === 'postgresql'

/** For the option `skip` of a test that is about the embedded database. */
export function sqliteOnly(why: string): string | false {
  return isOnPostgres && why
}

/** The same, if it sets the system's clock of a server. */
export const clockIsCompared = sqliteOnly('by the clock of PostgreSQL, the server’s would be wrong')

async function databaseFor(directory: string): Promise<Database | undefined> {
  if (!isOnPostgres) return undefined
  // Other runs do not look for PostgreSQL at all.
  const { createDatabase, testedVersions } = await import('./store/postgres/shared-server.ts')
  const { templateWithTables } = await import('./store/postgres/template.ts')
  const [version] = testedVersions
  if (version === undefined) throw new Error('TEST_DATABASE=postgresql, but there is no PostgreSQL')
  const known = databases.get(directory)
  if (known !== undefined) return known
  const created = await createDatabase(version, await templateWithTables(version))
  const users = new Set<RunningServer>()
  let isOver = false
  const database: Database = {
    ...created,
    users,
    async release(user, keep) {
      users.delete(user)
      isOver ||= keep === undefined
      // The hooks of a test may stop an earlier server of the directory before a later one.
      if (isOver && users.size === 0 && databases.delete(directory)) await created.drop()
    },
  }
  databases.set(directory, database)
  return database
}

/** As many as TEST_WORKERS says, but for tests that give ports which are of one thread. */
function workersFor({ time, journalFiles }: Partial<ServerOptions>): Settings {
  const workers = process.env['TEST_WORKERS']
  if (workers === undefined || time !== undefined || journalFiles !== undefined) return {}
  return { TRENT_WORKERS: workers }
}

function collectingLog(logged: string[]): Logger {
  return pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) })
}
