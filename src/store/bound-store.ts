/**
 * Implements the store over a database: the reads and writes of every table, and the transaction.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { accountReads, accountWrites } from './tables/account-rows.ts'
import { changeAuditWriter, listAuditWriters } from './tables/audit-writer-rows.ts'
import { aliasReads, aliasWrites } from './tables/alias-rows.ts'
import { type OnForgedRow, type RowKeyring, createBoundRows } from './bound-rows.ts'
import {
  changesSince,
  createChangeNumber,
  beginChangeLog,
  createTouched,
  recordChange,
  skipChanges,
  type ChangeNumber,
} from './tables/change-log.ts'
import { type Database, TransactionConflict } from './database.ts'
import {
  changeFile,
  deliveryFileReads,
  deliveryReads,
  deliveryWrites,
  saveCut,
  saveDigest,
} from './tables/delivery-rows.ts'
import { grantReads, grantWrites } from './tables/grant-rows.ts'
import { keyReads, keyWrites } from './tables/key-rows.ts'
import { findLastUsage, saveLastUsages, trackUsageSince } from './tables/key-usage-rows.ts'
import { managedPolicyReads, managedPolicyWrites } from './tables/managed-policy-rows.ts'
import { clockMark, countDeletedKeys, keyDeletion } from './tables/deleted-key-rows.ts'
import { countDeletedMaterials } from './tables/deleted-material-rows.ts'
import type { DeliveryStore } from './delivery-store.ts'
import { dueKeyReads } from './tables/due-key-rows.ts'
import { materialStateReads, materialStateWrites } from './tables/material-state-rows.ts'
import { materialReads, materialWrites } from './tables/material-rows.ts'
import {
  deleteEventsBefore,
  findEventBlock,
  findIndexPosition,
  listEventBlocks,
} from './tables/event-index-rows.ts'
import { deleteOutbox, insertOutbox, listOutbox } from './tables/outbox.ts'
import { insertOutgoingEvent, outgoingEventStore } from './tables/outgoing-event-rows.ts'
import { groupReads, groupWrites } from './tables/group-rows.ts'
import { oidcProviderReads, oidcProviderWrites } from './tables/oidc-provider-rows.ts'
import { roleReads, roleWrites } from './tables/role-rows.ts'
import { serviceReads, serviceWrites } from './tables/service-rows.ts'
import { findAccessKeyUse, saveAccessKeyUses } from './tables/access-key-usage-rows.ts'
import { findRoleUse, saveRoleUses } from './tables/role-usage-rows.ts'
import {
  keyFigures,
  listCalled,
  listCalledOperations,
  listExpiringKeys,
  sumRequests,
} from './tables/metric-rows.ts'
import { saveCounts } from './tables/resource-counts.ts'
import type { RowScope, WriteScope } from './row-scope.ts'
import type { Store, StoreReads, Transaction } from './store.ts'
import { trailReads, trailWrites } from './tables/trail-rows.ts'
import { deleteOldCounts, listKeyTurns, listRequestCounts } from './tables/usage-rows.ts'
import { userReads, userWrites } from './tables/user-rows.ts'
import { createTally } from './tally.ts'

const attemptsMax = 5
const attemptDelayMs = 10

/**
 * Creates the store of an open database. Inside `change`, only its transaction may be used: a call
 * of the store itself would deadlock with the transaction until the lease ends both.
 */
export function createStore(
  database: Database,
  keyring: RowKeyring,
  { onForgedRow }: { readonly onForgedRow: OnForgedRow },
): Store {
  const { query } = database
  const rows = createBoundRows(keyring, onForgedRow)
  const deletesMaterial = (): void => database.unscrubbed.raise()
  const attempt = <T>(work: (transaction: Transaction) => Promise<T>): Promise<T> =>
    query.transaction().execute(async (transaction) => {
      const { touch, all } = createTouched()
      const number = createChangeNumber(transaction, all)
      const scope = { query: transaction, rows, tally: createTally(), number }
      const answer = await work(transactionOf({ ...scope, touch, deletesMaterial }))
      await recordChange(scope, all(), number)
      await saveCounts(scope, scope.tally)
      return answer
    })
  return {
    ...reads({ query, rows }),
    change: (work) => retried(() => attempt(work)),
    epoch: () => database.epoch(),
    beginChangeLog: () =>
      retried(() => query.transaction().execute((one) => beginChangeLog({ query: one, rows }))),
    changesSince: (seq) => changesSince(query, seq),
    listOutbox: (limit) => listOutbox({ query, rows }, limit),
    deleteOutbox: (eventIds) => deleteOutbox(query, eventIds),
    listEventBlocks: (page) => listEventBlocks(query, page),
    findIndexPosition: (stream) => findIndexPosition(query, stream),
    findEventBlock: (block) => findEventBlock(query, block),
    deleteEventsBefore: (day) => deleteEventsBefore(query, day),
    listRequestCounts: (page) => listRequestCounts(query, page),
    listKeyTurns: (accountId, page) => listKeyTurns(query, accountId, page),
    keyFigures: () => keyFigures(query),
    listCalled: (page) => listCalled(query, page),
    listCalledOperations: (of) => listCalledOperations(query, of),
    sumRequests: (of) => sumRequests(query, of),
    listExpiringKeys: (accountId, region, page) => listExpiringKeys(query, accountId, region, page),
    deleteOldCounts: (now) => deleteOldCounts(query, now),
    countDeletedKeys: () => countDeletedKeys({ query, rows }),
    countDeletedMaterials: () => countDeletedMaterials({ query, rows }),
    ...deliveryStore({ query, rows }),
    ...outgoingEventStore({ query, rows }),
    async scrub() {
      // Material deleted from here on, while the log is cut or after, is scrubbed next time.
      if (!database.unscrubbed.take()) return
      await scrub(database).catch((error: unknown) => {
        database.unscrubbed.raise()
        throw error
      })
    },
    ...clockMark({ query, rows }),
    ...keyUsageStore({ query, rows }),
    findAccessKeyUse: (accessKeyId) => findAccessKeyUse(query, accessKeyId),
    saveAccessKeyUses: (uses) =>
      retried(() =>
        query.transaction().execute((transaction) => saveAccessKeyUses(transaction, uses)),
      ),
    findRoleUse: (roleId) => findRoleUse(query, roleId),
    saveRoleUses: (uses) =>
      retried(() => query.transaction().execute((transaction) => saveRoleUses(transaction, uses))),
  }
}

function keyUsageStore(
  scope: RowScope,
): Pick<Store, 'trackUsageSince' | 'findLastUsage' | 'saveLastUsages'> {
  const { query, rows } = scope
  const inOne = <T>(work: (scope: RowScope) => Promise<T>): Promise<T> =>
    retried(() => query.transaction().execute((transaction) => work({ query: transaction, rows })))
  return {
    trackUsageSince: (now) => inOne((one) => trackUsageSince(one, now)),
    findLastUsage: (key) => findLastUsage(scope, key),
    saveLastUsages: (usages) => inOne((one) => saveLastUsages(one, usages)),
  }
}

function deliveryStore(scope: RowScope): DeliveryStore {
  const { query, rows } = scope
  const inOne = (work: (scope: RowScope) => Promise<void>): Promise<void> =>
    retried(() => query.transaction().execute((transaction) => work({ query: transaction, rows })))
  return {
    ...deliveryReads(scope),
    ...deliveryFileReads(scope),
    ...deliveryWrites(scope),
    changeDeliveryFile: (sequence, changes) => inOne((one) => changeFile(one, sequence, changes)),
    saveCut: (cut) => inOne((one) => saveCut(one, cut)),
    saveDigest: (of) => inOne((one) => saveDigest(one, of)),
    listAuditWriters: () => listAuditWriters(scope),
    changeAuditWriter: (stream, changes) => inOne((one) => changeAuditWriter(one, stream, changes)),
  }
}

/** `secure_delete` overwrites deleted bytes in the file, but the log holds them until it is cut. */
async function scrub({ query, engine }: Database): Promise<void> {
  if (engine !== 'sqlite') return
  const { rows } = await sql<{ readonly busy: number }>`PRAGMA wal_checkpoint(TRUNCATE)`.execute(
    query,
  )
  if (rows[0]?.busy !== 0) throw new Error('could not truncate the database log')
}

function reads(scope: RowScope): StoreReads {
  return {
    ...accountReads(scope),
    ...serviceReads(scope),
    ...userReads(scope),
    ...groupReads(scope),
    ...roleReads(scope),
    ...managedPolicyReads(scope),
    ...oidcProviderReads(scope),
    ...keyReads(scope),
    ...dueKeyReads(scope),
    ...materialReads(scope),
    ...materialStateReads(scope),
    ...aliasReads(scope),
    ...grantReads(scope),
    ...trailReads(scope),
  }
}

function transactionOf(scope: WriteScope & { readonly number: ChangeNumber }): Transaction {
  return {
    ...reads(scope),
    ...accountWrites(scope),
    ...serviceWrites(scope),
    ...userWrites(scope),
    ...groupWrites(scope),
    ...roleWrites(scope),
    ...managedPolicyWrites(scope),
    ...oidcProviderWrites(scope),
    ...keyWrites(scope),
    ...keyDeletion(scope),
    ...materialWrites(scope),
    ...materialStateWrites(scope),
    ...aliasWrites(scope),
    ...grantWrites(scope),
    ...trailWrites(scope),
    empty: (keep) => empty(scope, keep),
    changesSince: (seq) => changesSince(scope.query, seq),
    insertOutbox: (row) => insertOutbox(scope, row),
    insertOutgoingEvent: (event) => insertOutgoingEvent(scope, event),
    skipChanges: (upTo) => skipChanges(scope, upTo),
  }
}

/** Deletes in the order of references between rows. The committed outbox rows stay. */
async function empty(
  { query, touch, deletesMaterial }: WriteScope,
  keep: Parameters<Transaction['empty']>[0],
): Promise<void> {
  await query.deleteFrom('aliases').execute()
  await query.deleteFrom('grant_buckets').execute()
  await query.deleteFrom('grants').execute()
  await query.deleteFrom('resource_counts').execute()
  await query.deleteFrom('key_usage').execute()
  await query.deleteFrom('material_states').execute()
  await query.deleteFrom('keys').execute()
  await query.deleteFrom('deleted_keys').execute()
  await query.deleteFrom('deleted_materials').execute()
  await query.deleteFrom('key_materials').execute()
  await query
    .deleteFrom('access_keys')
    .where((row) =>
      row.or([row('account_id', '!=', keep.accountId), row('principal_kind', '!=', 'root')]),
    )
    .execute()
  await query.deleteFrom('services').execute()
  await query.deleteFrom('users').execute()
  await query.deleteFrom('role_usage').execute()
  await query.deleteFrom('groups').execute()
  await query.deleteFrom('roles').execute()
  await query.deleteFrom('managed_policies').execute()
  await query.deleteFrom('trails').execute()
  await query.deleteFrom('oidc_providers').execute()
  await query.deleteFrom('accounts').where('account_id', '!=', keep.accountId).execute()
  deletesMaterial()
  touch({ kind: 'everything', accountId: '', region: '', id: '' })
}

/** Runs `attempt` again, from the start, while it conflicts with another transaction. */
async function retried<T>(attempt: () => Promise<T>): Promise<T> {
  for (let made = 1; ; made += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof TransactionConflict) || made === attemptsMax) throw error
      await sleep(made * attemptDelayMs)
    }
  }
}
