/** The engines that every store test runs on, each opened afresh in a folder of its own. @module */
import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { RowKeyring } from '../../src/store/bound-rows.ts'
import { createStore } from '../../src/store/bound-store.ts'
import type { Database, Engine } from '../../src/store/database.ts'
import { attachDatabase, openDatabase, type OwnedDatabase } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { testDatabase, testedVersions } from './postgres/shared-server.ts'
import { templateWithTables } from './postgres/template.ts'

export interface Opened {
  readonly database: OwnedDatabase
  /** Of the file of an embedded database. */
  readonly path?: string
  /** Another client of the same database. */
  readonly connect: () => Database
}

export interface TestedEngine {
  readonly name: Engine
  /** Closed when the test ends. */
  readonly open: (t: TestContext) => Promise<Opened>
}

/** PostgreSQL is among them where it is to be had; `shared-server.test.ts` says if it is not. */
export const engines: readonly TestedEngine[] = [
  { name: 'sqlite', open: openSqliteFor },
  ...testedVersions.map((version) => ({
    name: 'postgresql' as const,
    open: (t: TestContext) => openPostgresFor(t, version),
  })),
]

async function openSqliteFor(t: TestContext): Promise<Opened> {
  const path = join(temporaryFolder(t), 'trent.db')
  const database = await openDatabase({ path })
  t.after(() => database.close())
  return {
    database,
    path,
    connect() {
      const client = attachDatabase(database.share())
      t.after(() => client.close())
      return client
    },
  }
}

async function openPostgresFor(t: TestContext, version: number): Promise<Opened> {
  const { url } = await testDatabase(t, version, await templateWithTables(version))
  const database = await openDatabase({ path: '', url })
  t.after(() => database.close())
  return {
    database,
    connect() {
      const client = attachDatabase(database.share())
      t.after(() => client.close())
      return client
    },
  }
}

/** Removed when the test ends. */
export function temporaryFolder(t: { after(end: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'trent-store-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** HMAC under a fixed key: the only part of a keyring that the store needs. */
export const keyring: RowKeyring = {
  tagRow: (canonical) => createHmac('sha256', 'row tags').update(canonical).digest(),
  checkRowTag: (canonical, tag) =>
    createHmac('sha256', 'row tags').update(canonical).digest().equals(tag),
}

/** A store, and the rows that it reported as forged, `table/primary key`. */
export function storeOf(database: Database): {
  readonly store: Store
  readonly forged: string[]
} {
  const forged: string[] = []
  const onForgedRow = (table: string, id: string): number => forged.push(`${table}/${id}`)
  return { store: createStore(database, keyring, { onForgedRow }), forged }
}
