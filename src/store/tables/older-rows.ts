/**
 * Protects rows by the newest domain key that older ones protect: their tags, and the bytes that they
 * wrap. What the rows say stays the same.
 *
 * A row gets its new tag only after its old one was verified. A forged row stays as it is, and never becomes
 * genuine.
 * @module
 */
import { sql } from 'kysely'
import type { AccessKeyRecord } from '../../model/access-key.ts'
import type { CustomKeyStoreRecord } from '../../model/custom-key-store.ts'
import type { DigestKey } from '../../model/delivery.ts'
import type { MaterialRecord } from '../../model/key.ts'
import type { ProxyCredentialRecord } from '../../model/served-proxy.ts'
import type { ServiceRecord } from '../../model/service.ts'
import { NotAuthentic } from '../../crypto/keyring.ts'
import { isBound } from '../bound-rows.ts'
import type { WriteScope } from '../row-scope.ts'
import { accessKeys, services } from '../schema/accounts.ts'
import { customKeyStores } from '../schema/key-stores.ts'
import { digestKeys } from '../schema/audit.ts'
import { keyMaterials } from '../schema/materials.ts'
import { everyTable } from '../schema/schema.ts'
import { proxyCredentials } from '../schema/served-proxies.ts'
import type { Table } from '../schema/table.ts'
import { changeOf, tableWrites, unnamed } from './table-rows.ts'

type Value = string | number | Uint8Array | null
type Values = Readonly<Record<string, Value>>

/** Names of the tables that domain keys protect. */
export const protectedTables: readonly string[] = everyTable
  .filter((table: Table) => isBound(table) || table === keyMaterials)
  .map(({ name }) => name)

type Wrapped<Rec, Bytes extends keyof Rec> = Pick<Rec, Bytes | ('wrappingVersion' & keyof Rec)>

/** Wraps the bytes of a record under the newest domain key. Each throws if they do not open. */
export interface Rewrap {
  readonly material: (record: MaterialRecord) => Wrapped<MaterialRecord, 'wrapped'>
  readonly accessKey: (record: AccessKeyRecord) => Wrapped<AccessKeyRecord, 'wrappedSecret'>
  readonly service: (record: ServiceRecord) => Wrapped<ServiceRecord, 'wrappedSecret'>
  readonly keyStore: (
    record: CustomKeyStoreRecord,
  ) => Wrapped<CustomKeyStoreRecord, 'wrappedSecret'>
  readonly proxyCredential: (
    record: ProxyCredentialRecord,
  ) => Wrapped<ProxyCredentialRecord, 'wrappedSecret'>
  readonly digestKey: (record: DigestKey) => Wrapped<DigestKey, 'wrapped'>
}

export interface OlderPage {
  /** One of `protectedTables`. */
  readonly table: string
  /** The primary key of the last row of the page before. */
  readonly after?: readonly Value[]
  /** Rows that are read at most. */
  readonly limit: number
  /** The version of the newest domain key. */
  readonly version: number
  readonly rewrap: Rewrap
}

export interface RewrappedPage {
  /** The primary key of the last row; absent at the end of the table. */
  readonly last?: readonly Value[]
  /** Number of rows that are under the newest domain key now, and were not before. */
  readonly rewrapped: number
  /** Whether caches hold some of them, so that the transaction takes the number of a change. */
  readonly isNumbered: boolean
}

export interface OlderRowWrites {
  rewrapRows(page: OlderPage): Promise<RewrappedPage>
}

export function olderRowWrites(scope: WriteScope): OlderRowWrites {
  return {
    async rewrapRows(page) {
      const table: Table | undefined = everyTable.find(({ name }) => name === page.table)
      if (table === undefined) throw new TypeError('no such table')
      const rows = await rowsAfter(table, page, scope)
      let rewrapped = 0
      let isNumbered = false
      const touch: WriteScope['touch'] = (...change) => {
        isNumbered = true
        scope.touch(...change)
      }
      for (const row of rows) {
        rewrapped += Number(await rewrapRow(table, row, page, { ...scope, touch }))
      }
      const last = rows.at(-1)
      const done = { rewrapped, isNumbered }
      if (last === undefined || rows.length < page.limit) return done
      return { ...done, last: keyOf(table, last) }
    },
  }
}

/** Reads every row, whoever protects it: a condition on the tag would make one statement read the table. */
async function rowsAfter(
  { name, primaryKey }: Table,
  { after, limit }: OlderPage,
  { query }: WriteScope,
): Promise<readonly Values[]> {
  let rows = unnamed(query).selectFrom(name).selectAll().limit(limit)
  for (const column of primaryKey) rows = rows.orderBy(column)
  if (after !== undefined) {
    const columns = sql.join(primaryKey.map((column) => sql.ref(column)))
    rows = rows.where(sql<boolean>`(${columns}) > (${sql.join(after)})`)
  }
  return rows.execute()
}

/** Whether it changed the row. */
async function rewrapRow(
  table: Table,
  row: Values,
  { version, rewrap }: OlderPage,
  scope: WriteScope,
): Promise<boolean> {
  if (!isOlder(table, row, version)) return false
  const { rows } = scope
  const key = keyOf(table, row)
  if (isBound(table) && !rows.isGenuine(table, row, key)) return false
  try {
    if (table === accessKeys) {
      const record = accessKeys.toRecord(row as never) // a genuine row of the table, as below
      await tableWrites(accessKeys, scope).update(record, rewrap.accessKey(record))
      return true
    }
    if (table === services) {
      const record = services.toRecord(row as never)
      await tableWrites(services, scope).update(record, rewrap.service(record))
      return true
    }
    if (table === customKeyStores) {
      const record = customKeyStores.toRecord(row as never)
      await tableWrites(customKeyStores, scope).update(record, rewrap.keyStore(record))
      return true
    }
    if (table === proxyCredentials) {
      const record = proxyCredentials.toRecord(row as never)
      await tableWrites(proxyCredentials, scope).update(record, rewrap.proxyCredential(record))
      return true
    }
    const changed = rewrappedColumns(table, row, rewrap)
    const sealed = isBound(table) ? rows.seal(table, { ...row, ...changed }) : undefined
    const next = { ...changed, ...(sealed && { row_tag: sealed.row_tag }) }
    return await replace(table, row, next, scope)
  } catch (error) {
    if (!(error instanceof NotAuthentic)) throw error
    rows.missing(table, key)
    return false
  }
}

function rewrappedColumns(table: Table, row: Values, rewrap: Rewrap): Values {
  if (table === keyMaterials) {
    const { wrappingVersion, wrapped } = rewrap.material(keyMaterials.toRecord(row as never))
    return { wrapping_version: wrappingVersion, wrapped }
  }
  if (table === digestKeys) {
    const { wrappingVersion, wrapped } = rewrap.digestKey(digestKeys.toRecord(row as never))
    return { wrapping_version: wrappingVersion, wrapped }
  }
  if (isWrapping(row)) throw new TypeError(`nothing wraps the bytes of ${table.name} anew`)
  return {}
}

/** Unless the row has changed since it was read: then the newest domain key protects it already. */
async function replace(
  table: Table,
  row: Values,
  next: Values,
  { query, touch }: WriteScope,
): Promise<boolean> {
  const proof = isBound(table) ? 'row_tag' : 'wrapped'
  const { numUpdatedRows } = await unnamed(query)
    .updateTable(table.name)
    .set(next)
    .where((all) => all.and({ ...keyColumns(table, row), [proof]: row[proof] ?? null }))
    .executeTakeFirst()
  // Caches hold the wrapped bytes of a material.
  if (numUpdatedRows === 1n && table === keyMaterials) touch(...changeOf(table, row, 0))
  return numUpdatedRows === 1n
}

/** Whether the row has bytes that a domain key wraps. A tombstone only names the domain key. */
function isWrapping(row: Values): boolean {
  const bytes = row['wrapped'] ?? row['wrapped_secret']
  return 'wrapping_version' in row && bytes instanceof Uint8Array && bytes.length > 0
}

function isOlder(table: Table, row: Values, version: number): boolean {
  const { row_tag: tag, wrapping_version: wrapping } = row
  if (isWrapping(row) && wrapping !== version) return true
  return isBound(table) && tag instanceof Uint8Array && versionOf(tag) !== version
}

/** The domain key of a tag: its first four bytes. */
function versionOf(tag: Uint8Array): number | undefined {
  return tag.length < 4 ? undefined : Buffer.from(tag.buffer, tag.byteOffset, 4).readUInt32BE()
}

function keyOf({ primaryKey }: Table, row: Values): readonly Value[] {
  return primaryKey.map((column) => row[column] ?? null)
}

function keyColumns({ primaryKey }: Table, row: Values): Values {
  return Object.fromEntries(primaryKey.map((column) => [column, row[column] ?? null]))
}
