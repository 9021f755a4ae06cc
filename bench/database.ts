/**
 * Where a measured Trent keeps its data: in SQLite in its directory, or, with `BENCH_DATABASE_URL`, in
 * PostgreSQL. The URL is `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, and its user may create databases:
 * each deployment gets one of its own.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'

const { BENCH_DATABASE_URL: serverUrl } = process.env

export interface Place {
  /** Settings of Trent, `TRENT_…`. */
  readonly settings: Readonly<Record<string, string>>
  /** For `openDatabase`. */
  readonly open: { readonly path: string; readonly url?: string }
  readonly bytes: () => Promise<number>
}

/** Databases in PostgreSQL that were made. */
const made: string[] = []

/** Drops them. Call it at the end, whatever that is. */
export async function dropPlaces(): Promise<void> {
  for (const name of made.splice(0)) await ask(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
}

/** @param directory the data directory of the deployment */
export async function placeOf(directory: string): Promise<Place> {
  const path = join(directory, 'trent.db')
  if (serverUrl === undefined) {
    const bytes = (): Promise<number> => Promise.resolve(statSync(path).size)
    return { settings: {}, open: { path }, bytes }
  }
  const name = `trent_bench_${randomBytes(4).toString('hex')}`
  made.push(name)
  await ask(`CREATE DATABASE ${name}`)
  const url = new URL(serverUrl)
  url.pathname = name
  return {
    settings: { TRENT_DATABASE_URL: url.href },
    open: { path, url: url.href },
    async bytes() {
      const [row] = await ask(`SELECT pg_database_size('${name}')::text AS bytes`)
      return Number(row?.['bytes'])
    },
  }
}

async function ask(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new Client({ connectionString: serverUrl })
  await client.connect()
  try {
    return (await client.query<Readonly<Record<string, unknown>>>(statement)).rows
  } finally {
    await client.end()
  }
}
