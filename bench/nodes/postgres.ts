/** A PostgreSQL server for benchmarks: durable, and tuned as its defaults are. @module */
import { join } from 'node:path'
import { installedPostgres } from '../../test/store/postgres/postgres-binaries.ts'
import { startPostgres } from '../../test/store/postgres/postgres-server.ts'
import { asSuperuser } from '../../test/store/postgres/superuser.ts'
import { makeDirectory, startTrent, type Server } from '../servers.ts'

export interface Database {
  readonly version: number
  /** Of the postmaster. */
  readonly pid: number
  /** Makes an empty database, and returns its URL. */
  readonly create: (name: string) => Promise<string>
  /** Transactions of a database so far. */
  readonly transactions: (name: string) => Promise<number>
  readonly stop: () => Promise<void>
}

/** Unlike in tests, a commit is durable. */
const configuration = {
  fsync: 'on',
  full_page_writes: 'on',
  autovacuum: 'on',
  shared_buffers: '128MB',
  max_connections: '100',
}

/** Starts Debian's version if it is here, because the failure tests run that one too. */
export async function startDatabase(): Promise<Database> {
  const installed = installedPostgres()
  const binaries = installed.find(({ folder }) => folder.startsWith('/usr/lib/')) ?? installed[0]
  if (binaries === undefined) throw new Error('there is no PostgreSQL here')
  const server = await startPostgres(binaries, { prefix: 'trent-bench-', configuration })
  const { port, password } = server
  const ask = (database: string, statements: string) => asSuperuser(server, database, statements)
  await ask('postgres', `CREATE ROLE trent LOGIN PASSWORD '${password}'`)
  await ask('postgres', 'GRANT pg_read_all_stats TO trent')
  return {
    version: server.version,
    pid: server.process.pid ?? 0,
    async create(name) {
      const options = `OWNER trent ENCODING 'UTF8' TEMPLATE template0`
      await ask('postgres', `CREATE DATABASE ${name} ${options}`)
      return `postgres://trent:${password}@127.0.0.1:${port}/${name}`
    },
    async transactions(name) {
      const [row] = await ask(
        'postgres',
        `SELECT (xact_commit + xact_rollback)::float8 AS n FROM pg_stat_database WHERE datname = '${name}'`,
      )
      return Number(row?.['n'])
    },
    stop: () => server.stop(),
  }
}

/** Nodes of one deployment. */
export async function startNodes(url: string, count: number): Promise<readonly Server[]> {
  const directory = makeDirectory()
  const settings = {
    TRENT_DATABASE_URL: url,
    TRENT_SEAL: `file:${join(directory, 'seal.key')}`,
    TRENT_LOG_LEVEL: 'error',
  }
  const nodes: Server[] = []
  for (let number = 1; number <= count; number += 1) {
    nodes.push(await startTrent(join(directory, `node-${number}`), settings))
  }
  return nodes
}
