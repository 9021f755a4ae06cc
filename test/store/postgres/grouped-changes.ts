/** Changes of one process over a proxy, and when they wait for each other. @module */
import type { TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Kysely, type Transaction } from 'kysely'
import { parseDatabaseUrl } from '../../../src/store/postgres/database-url.ts'
import { postgresDialect } from '../../../src/store/postgres/postgres-dialect.ts'
import type { Boundaries } from '../../../src/store/postgres/postgres-group.ts'
import { Pool, type PoolSettings } from '../../../src/store/postgres/postgres-pool.ts'
import { sessionsTable } from '../../../src/store/postgres/settle.ts'
import { startProxy, type FaultyProxy } from './faulty-proxy.ts'
import { sessionSettings } from './opened-session.ts'
import { testDatabase, testedVersions } from './shared-server.ts'

const [version = 0] = testedVersions

export interface Things {
  readonly things: { readonly id: number }
}
export type Change = Transaction<Things>

export interface Opened {
  readonly query: Kysely<Things>
  readonly proxy: FaultyProxy
  readonly admin: (statements: string) => Promise<unknown>
  /** The ids of all things that are stored. */
  readonly stored: () => Promise<readonly number[]>
  /** How many transactions have begun. */
  readonly begun: () => number
}

export async function opened(
  t: TestContext,
  boundaries: Partial<Boundaries> = {},
  settings: Partial<PoolSettings> = {},
): Promise<Opened> {
  const { url, port, admin } = await testDatabase(t, version)
  const proxy = await startProxy(t, port)
  const limits = { sessionsMax: 4, waitMaxMs: 5000, primaryMaxMs: 0, sessionAgeMaxMs: 60_000 }
  const pool = new Pool(parseDatabaseUrl(url.replace(`:${port}/`, `:${proxy.port}/`)), {
    ...sessionSettings,
    ...limits,
    ...settings,
  })
  t.after(() => pool.close())
  const session = await pool.acquire()
  await session.run(sessionsTable, [])
  await session.run('CREATE TABLE things (id bigint PRIMARY KEY)', [])
  pool.release(session)
  let begun = 0
  const dialect = postgresDialect(pool, {
    begin: async (one) => {
      begun += 1
      await one.begin()
    },
    commit: async (one) => void (await one.commit()),
    ...boundaries,
  })
  const query = new Kysely<Things>({ dialect })
  return {
    query,
    proxy,
    admin,
    begun: () => begun,
    stored: async () =>
      (await query.selectFrom('things').selectAll().orderBy('id').execute()).map(({ id }) => id),
  }
}

export const insert = async (change: Change, id: number): Promise<void> => {
  await change.insertInto('things').values({ id }).execute()
}

/** A change that waits, once it has stored its thing, until it is let go. */
export function held(query: Kysely<Things>, id: number) {
  const { promise: isLetGo, resolve: letGo } = Promise.withResolvers<void>()
  const { promise: isInside, resolve: enter } = Promise.withResolvers<void>()
  const ended = query.transaction().execute(async (change) => {
    await insert(change, id)
    enter()
    await isLetGo
  })
  ended.catch(() => undefined)
  return { isInside, letGo, ended }
}

/** Changes ask for their turn before the next turn of the event loop. */
export const asked = (): Promise<void> => setImmediate()

/** Runs changes that all wait for the first one, so that they commit together. */
export async function together(
  query: Kysely<Things>,
  changes: readonly ((change: Change) => Promise<unknown>)[],
): Promise<readonly unknown[]> {
  const first = held(query, 1)
  await first.isInside
  const rest = changes.map((work) =>
    query
      .transaction()
      .execute(work)
      .catch((error: unknown) => error),
  )
  await asked()
  first.letGo()
  await first.ended
  return await Promise.all(rest)
}
