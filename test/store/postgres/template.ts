/** A database with all tables, made once for each server, from which tests copy theirs. @module */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Client } from 'pg'
import { openDatabase } from '../../../src/store/open.ts'
import { everyTable } from '../../../src/store/schema/schema.ts'
import { sharedServer, urlOf } from './shared-server.ts'

/** What the tables are made from. */
const files = ['schema/create-schema.ts', 'migrations.ts', 'postgres/settle.ts']
const templates = new Map<number, Promise<string>>()

/** Returns the name of the database. */
export function templateWithTables(version: number): Promise<string> {
  const known = templates.get(version) ?? makeTemplate(version)
  templates.set(version, known)
  return known
}

async function makeTemplate(version: number): Promise<string> {
  const address = await sharedServer(version)
  const digest = createHash('sha256').update(JSON.stringify(everyTable))
  for (const file of files) {
    digest.update(readFileSync(new URL(`../../../src/store/${file}`, import.meta.url)))
  }
  const name = `tables_${digest.digest('hex').slice(0, 12)}`
  const { port, superuser: user, password } = address
  const client = new Client({ host: '127.0.0.1', port, user, password, database: 'postgres' })
  await client.connect()
  try {
    // Test files that start at once take turns.
    await client.query('SELECT pg_advisory_lock(1)')
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
    if (found.rowCount === 0) {
      await client.query(`DROP DATABASE IF EXISTS ${name}_begun`)
      await client.query(`CREATE DATABASE ${name}_begun OWNER trent TEMPLATE template0`)
      const database = await openDatabase({ path: '', url: urlOf(address, `${name}_begun`) })
      await database.close()
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}_begun'`,
      )
      await client.query(`ALTER DATABASE ${name}_begun RENAME TO ${name}`)
    }
    return name
  } finally {
    await client.end()
  }
}
