/** The rows of aliases. @module */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { AliasRecord, AliasRef } from '../../model/key.ts'
import { acceptedPage } from '../bound-rows.ts'
import { countOf } from './resource-counts.ts'
import { noRow } from '../change.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type { AliasesTable, Schema } from '../schema/schema.ts'
import { type StoreReads, type Transaction, StaleRow } from '../store.ts'

type Reads = Pick<StoreReads, 'findAlias' | 'listAliases' | 'countAliases' | 'countAllAliases'>
type Writes = Pick<Transaction, 'insertAlias' | 'updateAlias' | 'deleteAlias'>

/** Rows are a few hundred bytes each, so one statement reads a page of ListAliases. */
const fetchedMax = 101

export function aliasReads(scope: RowScope): Reads {
  const { query, rows } = scope
  return {
    async findAlias(ref) {
      const found = await query
        .selectFrom('aliases')
        .selectAll()
        .where((row) => isAlias(row, ref))
        .executeTakeFirst()
      const row = rows.genuine('aliases', nameOf(ref), found)
      return row && aliasOf(row)
    },
    listAliases(accountId, region, { targetKeyId, ...page }) {
      const fetch = (after: string | undefined, limit: number): Promise<readonly AliasesTable[]> =>
        query
          .selectFrom('aliases')
          .selectAll()
          .where('account_id', '=', accountId)
          .where('region', '=', region)
          .$if(targetKeyId !== undefined, (aliases) =>
            aliases.where('target_key_id', '=', targetKeyId ?? ''),
          )
          .$if(after !== undefined, (aliases) => aliases.where('name', '>', after ?? ''))
          .orderBy('name')
          .limit(limit)
          .execute()
      return acceptedPage(
        page,
        fetch,
        (row) => row.name,
        (found) => {
          const row = rows.genuine('aliases', [accountId, region, found.name], found)
          return row && aliasOf(row)
        },
        fetchedMax,
      )
    },
    // Counts without checking tags: a forged row can only use up the key's quota of aliases.
    async countAliases({ accountId, region, keyId }) {
      const { count } = await query
        .selectFrom('aliases')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('account_id', '=', accountId)
        .where('region', '=', region)
        .where('target_key_id', '=', keyId)
        .executeTakeFirstOrThrow()
      return count
    },
    countAllAliases: (accountId, region) => countOf(scope, { accountId, region, kind: 'aliases' }),
  }
}

export function aliasWrites({ query, rows, tally, touch }: WriteScope): Writes {
  const touchAlias = ({ accountId, region, name }: AliasRef, rowVersion: number): void =>
    touch({ kind: 'alias', accountId, region, id: name }, rowVersion)
  return {
    async insertAlias(alias) {
      const columns = columnsOf({ ...alias, rowVersion: 1 })
      await query.insertInto('aliases').values(rows.seal('aliases', columns)).execute()
      tally.addAlias(alias, 1)
      touchAlias(alias, 1)
    },
    async updateAlias(alias, { targetKeyId, updatedAt }) {
      const updated = { ...alias, targetKeyId, updatedAt, rowVersion: alias.rowVersion + 1 }
      const { numUpdatedRows } = await query
        .updateTable('aliases')
        .set(rows.seal('aliases', columnsOf(updated)))
        .where((row) => isAlias(row, alias))
        .where('row_version', '=', alias.rowVersion)
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) throw stale(alias)
      touchAlias(alias, updated.rowVersion)
      return updated
    },
    async deleteAlias(alias) {
      const { numDeletedRows } = await query
        .deleteFrom('aliases')
        .where((row) => isAlias(row, alias))
        .where('row_version', '=', alias.rowVersion)
        .executeTakeFirst()
      if (numDeletedRows !== 1n) throw stale(alias)
      tally.addAlias(alias, -1)
      touchAlias(alias, noRow)
    },
  }
}

function isAlias(
  row: ExpressionBuilder<Schema, 'aliases'>,
  { accountId, region, name }: AliasRef,
): Expression<SqlBool> {
  return row.and({ account_id: accountId, region, name })
}

function nameOf({ accountId, region, name }: AliasRef): readonly string[] {
  return [accountId, region, name]
}

function stale(alias: AliasRecord): StaleRow {
  return new StaleRow(`alias ${nameOf(alias).join('/')}`)
}

function columnsOf(alias: AliasRecord): Omit<AliasesTable, 'row_tag'> {
  return {
    account_id: alias.accountId,
    region: alias.region,
    name: alias.name,
    target_key_id: alias.targetKeyId,
    created_at: alias.createdAt,
    updated_at: alias.updatedAt,
    row_version: alias.rowVersion,
  }
}

function aliasOf(row: AliasesTable): AliasRecord {
  return {
    accountId: row.account_id,
    region: row.region,
    name: row.name,
    targetKeyId: row.target_key_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    rowVersion: row.row_version,
  }
}
