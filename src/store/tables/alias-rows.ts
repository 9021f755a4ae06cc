/** The rows of aliases. @module */
import type { AliasRecord, AliasRef, KeyRef } from '../../model/key.ts'
import type { Page } from '../page.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { aliases } from '../schema/keys.ts'
import { countOf } from './resource-counts.ts'
import { countRows, tableReads, tableWrites } from './table-rows.ts'

export interface AliasReads {
  findAlias(ref: AliasRef): Promise<AliasRecord | undefined>
  /** Aliases of an account and Region by name; those of one key if `targetKeyId` is given. */
  listAliases(
    accountId: string,
    region: string,
    page: Page & { readonly targetKeyId?: string },
  ): Promise<readonly AliasRecord[]>
  countAliases(key: KeyRef): Promise<number>
  /** Counts the aliases of an account and Region, without those that AWS creates. */
  countAllAliases(accountId: string, region: string): Promise<number>
}

export interface AliasWrites {
  /** @throws {DuplicateRow} */
  insertAlias(alias: Omit<AliasRecord, 'rowVersion'>): Promise<AliasRecord>
  /** @throws {StaleRow} */
  updateAlias(
    alias: AliasRecord,
    changes: { readonly targetKeyId: string; readonly updatedAt: number },
  ): Promise<AliasRecord>
  /** @throws {StaleRow} */
  deleteAlias(alias: AliasRecord): Promise<void>
}

/** Rows are a few hundred bytes each, so one statement reads a page of ListAliases. */
const fetchedMax = 101

export function aliasReads(scope: RowScope): AliasReads {
  const { find, page: pageOf } = tableReads(aliases, scope)
  return {
    findAlias: find,
    listAliases: (accountId, region, { targetKeyId, ...page }) =>
      pageOf(
        page,
        (after, limit) =>
          scope.query
            .selectFrom('aliases')
            .selectAll()
            .where('account_id', '=', accountId)
            .where('region', '=', region)
            .$if(targetKeyId !== undefined, (some) =>
              some.where('target_key_id', '=', targetKeyId ?? ''),
            )
            .$if(after !== undefined, (some) => some.where('name', '>', after ?? ''))
            .orderBy('name')
            .limit(limit)
            .execute(),
        (row) => row.name,
        { fetchedMax },
      ),
    countAliases: ({ accountId, region, keyId }) =>
      countRows(scope.query, aliases, { account_id: accountId, region, target_key_id: keyId }),
    countAllAliases: (accountId, region) => countOf(scope, { accountId, region, kind: 'aliases' }),
  }
}

export function aliasWrites(scope: WriteScope): AliasWrites {
  const writes = tableWrites(aliases, scope)
  return {
    async insertAlias(alias) {
      const inserted = await writes.insert(alias)
      scope.tally.addAlias(alias, 1)
      return inserted
    },
    updateAlias: writes.update,
    async deleteAlias(alias) {
      await writes.delete(alias)
      scope.tally.addAlias(alias, -1)
    },
  }
}
