/**
 * Implements the store over a database: the reads and writes of every table, and the transaction.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isRetired, nodeOfStream } from '../model/node.ts'
import { type OnForgedRow, type RowKeyring, createBoundRows } from './bound-rows.ts'
import { type Database, TransactionConflict } from './database.ts'
import type { DeliveryStore } from './delivery-store.ts'
import { committedChanges, createRecentChanges, openChanges } from './recent-changes.ts'
import type { RowScope, WriteScope } from './row-scope.ts'
import { lostChanges } from './schema/changes.ts'
import { everyTable } from './schema/schema.ts'
import { scrub } from './scrub.ts'
import type { Store, StoreReads, Transaction } from './store.ts'
import { accountReads, accountWrites } from './tables/account-rows.ts'
import { aliasReads, aliasWrites } from './tables/alias-rows.ts'
import {
  changeAuditWriter,
  listAllAuditWriters,
  listAuditWriters,
} from './tables/audit-writer-rows.ts'
import {
  changesSince,
  createTouched,
  openChange,
  recordChange,
  type OpenChange,
} from './tables/change-log.ts'
import { clockMarkStore } from './tables/clock-mark-rows.ts'
import { countDeletedKeys, keyDeletion } from './tables/deleted-key-rows.ts'
import { countDeletedMaterials } from './tables/deleted-material-rows.ts'
import {
  adoptFiles,
  changeFile,
  deliveryFileReads,
  deliveryReads,
  deliveryWrites,
  saveCut,
  saveDigest,
} from './tables/delivery-rows.ts'
import { dueKeyReads } from './tables/due-key-rows.ts'
import { deleteEventsBefore, findEventBlock, findIndexPosition } from './tables/event-index-rows.ts'
import { listEventBlocks } from './tables/event-runs.ts'
import { grantReads, grantWrites } from './tables/grant-rows.ts'
import { hsmObjectReads, hsmObjectStore, hsmObjectWrites } from './tables/hsm-object-rows.ts'
import { identityReads, identityWrites } from './tables/identity-rows.ts'
import { keyReads, keyWrites } from './tables/key-rows.ts'
import { keyStoreFigureStore } from './tables/key-store-figure-rows.ts'
import { keyStoreReads, keyStoreWrites } from './tables/key-store-rows.ts'
import {
  findLastUsage,
  saveLastUsages,
  trackUsageSince,
  type KeyUsageStore,
} from './tables/key-usage-rows.ts'
import { lastUses } from './tables/last-use-rows.ts'
import { managedPolicyReads, managedPolicyWrites } from './tables/managed-policy-rows.ts'
import { materialReads, materialWrites } from './tables/material-rows.ts'
import { materialStateReads, materialStateWrites } from './tables/material-state-rows.ts'
import {
  keyFigures,
  listCalled,
  listCalledOperations,
  listExpiringKeys,
  sumRequests,
} from './tables/metric-rows.ts'
import { nodeStore } from './tables/node-rows.ts'
import { oidcProviderReads, oidcProviderWrites } from './tables/oidc-provider-rows.ts'
import { deleteOutbox, insertOutbox, listOutbox, listOutboxStreams } from './tables/outbox.ts'
import { olderRowWrites } from './tables/older-rows.ts'
import { insertOutgoingEvent, outgoingEventStore } from './tables/outgoing-event-rows.ts'
import { saveCounts } from './tables/resource-counts.ts'
import { restorationStore } from './tables/restoration-rows.ts'
import { exchangeClaims, giveUpClaims, type QuotaShareStore } from './tables/quota-claim-rows.ts'
import { generationWrites } from './tables/root-generations.ts'
import { servedProxyReads, servedProxyWrites } from './tables/served-proxy-rows.ts'
import { serviceReads, serviceWrites } from './tables/service-rows.ts'
import { insertRecords } from './tables/table-rows.ts'
import { trailReads, trailWrites } from './tables/trail-rows.ts'
import { deleteOldCounts, listKeyTurns, listRequestCounts } from './tables/usage-rows.ts'
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
  const { query, nodeId } = database
  const rows = createBoundRows(keyring, onForgedRow)
  const scope: RowScope = { query, rows }
  const inOne: InOne = (work) =>
    retried(() => query.transaction().execute((transaction) => work({ query: transaction, rows })))
  const recent = createRecentChanges()
  const deletesMaterial = (): void => database.unscrubbed.raise()
  const attempt = <T>(work: (transaction: Transaction) => Promise<T>): Promise<T> =>
    query.transaction().execute(async (transaction) => {
      const { touch, all } = createTouched()
      const inside = { query: transaction, rows, tally: createTally() }
      const opened = openChange(inside, all)
      const change = { ...opened, changesSince: openChanges(opened.changesSince, recent) }
      const answer = await work(transactionOf({ ...inside, touch, deletesMaterial }, change))
      await recordChange(inside, all(), change)
      await saveCounts(inside, inside.tally)
      return answer
    })
  return {
    ...reads(scope),
    change: (work) => retried(() => attempt(work)),
    epoch: () => database.epoch(),
    changesSince: committedChanges(
      (seq) => changesSince(query, seq),
      recent,
      () => database.epoch(),
    ),
    freshness: database.freshness,
    ...outboxStore(scope, inOne, database),
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
    countDeletedKeys: () => countDeletedKeys(scope),
    countDeletedMaterials: () => countDeletedMaterials(scope),
    ...deliveryStore(scope, inOne, nodeId),
    ...nodeStore(scope, inOne),
    ...outgoingEventStore(scope),
    async scrub() {
      // Material deleted from here on, while the log is cut or after, is scrubbed next time.
      if (!database.unscrubbed.take()) return
      const isScrubbed = await scrub(database).catch((error: unknown) => {
        database.unscrubbed.raise()
        throw error
      })
      if (!isScrubbed) database.unscrubbed.raise()
    },
    ...clockMarkStore(scope),
    ...restorationStore(scope),
    ...hsmObjectStore(scope),
    ...keyUsageStore(scope, inOne),
    ...keyStoreFigureStore(scope),
    ...lastUses(scope, inOne),
    ...quotaShareStore(scope, inOne),
  }
}

/** Rows of streams that no serving node of the deployment has, and of the node's own if those are wanted. */
async function listOwnOutbox(
  scope: RowScope,
  nodeId: string | undefined,
  limit: number,
  whose: 'own' | 'retired',
): ReturnType<Store['listOutbox']> {
  if (nodeId === undefined) return listOutbox(scope, limit)
  const found = await scope.query.selectFrom('nodes').select(['node_id', 'state']).execute()
  const states = new Map(found.map((node) => [node.node_id, node.state]))
  const isWanted = (owner: string | undefined): boolean => {
    const state = states.get(owner ?? '')
    if (whose === 'retired') return state !== undefined && isRetired(state)
    return owner === nodeId || state === undefined || isRetired(state)
  }
  const owners = new Map(
    (await listAllAuditWriters(scope)).map((writer) => [writer.stream, writer.nodeId]),
  )
  const streams = (await listOutboxStreams(scope)).filter((stream) =>
    isWanted(owners.get(stream) ?? nodeOfStream(stream)),
  )
  return streams.length === 0 ? [] : listOutbox(scope, limit, streams)
}

/** Runs its argument in one transaction that takes no number. */
type InOne = <T>(work: (scope: RowScope) => Promise<T>) => Promise<T>

function keyUsageStore(scope: RowScope, inOne: InOne): KeyUsageStore {
  return {
    trackUsageSince: (now) => inOne((one) => trackUsageSince(one, now)),
    findLastUsage: (key) => findLastUsage(scope, key),
    saveLastUsages: (usages) => inOne((one) => saveLastUsages(one, usages)),
  }
}

function outboxStore(
  scope: RowScope,
  inOne: InOne,
  { engine, nodeId }: Pick<Database, 'engine' | 'nodeId'>,
): Pick<Store, 'listOutbox' | 'deleteOutbox'> {
  return {
    listOutbox: (limit, whose = 'own') => listOwnOutbox(scope, nodeId, limit, whose),
    // In PostgreSQL a transaction would hold the lock that all changes wait for.
    deleteOutbox: (eventIds) =>
      engine === 'sqlite'
        ? inOne((one) => deleteOutbox(one.query, eventIds))
        : deleteOutbox(scope.query, eventIds),
  }
}

function quotaShareStore(scope: RowScope, inOne: InOne): QuotaShareStore {
  return {
    exchangeClaims: (of) => inOne((one) => exchangeClaims(one, of)),
    giveUpClaims: (node) => giveUpClaims(scope, node),
  }
}

function deliveryStore(scope: RowScope, inOne: InOne, nodeId: string | undefined): DeliveryStore {
  return {
    ...deliveryReads(scope),
    ...deliveryFileReads(scope, nodeId),
    ...deliveryWrites(scope, nodeId),
    changeDeliveryFile: (sequence, changes) =>
      inOne((one) => changeFile(one, nodeId, sequence, changes)),
    saveCut: (cut) => inOne((one) => saveCut(one, nodeId, cut)),
    saveDigest: (of) => inOne((one) => saveDigest(one, nodeId, of)),
    adoptDeliveryFiles: async () => {
      if (nodeId !== undefined) await inOne((one) => adoptFiles(one, nodeId))
    },
    listAllAuditWriters: () => listAllAuditWriters(scope),
    listAuditWriters: () => listAuditWriters(scope, nodeId),
    changeAuditWriter: (stream, changes) =>
      inOne((one) => changeAuditWriter(one, nodeId, stream, changes)),
  }
}

function reads(scope: RowScope): StoreReads {
  return {
    ...accountReads(scope),
    ...serviceReads(scope),
    ...identityReads(scope),
    ...managedPolicyReads(scope),
    ...oidcProviderReads(scope),
    ...keyReads(scope),
    ...keyStoreReads(scope),
    ...servedProxyReads(scope),
    ...hsmObjectReads(scope),
    ...dueKeyReads(scope),
    ...materialReads(scope),
    ...materialStateReads(scope),
    ...aliasReads(scope),
    ...grantReads(scope),
    ...trailReads(scope),
  }
}

function transactionOf(scope: WriteScope, change: OpenChange): Transaction {
  return {
    ...reads(scope),
    ...accountWrites(scope),
    ...serviceWrites(scope),
    ...identityWrites(scope),
    ...managedPolicyWrites(scope),
    ...oidcProviderWrites(scope),
    ...keyWrites(scope),
    ...keyStoreWrites(scope),
    ...servedProxyWrites(scope),
    ...hsmObjectWrites(scope),
    ...keyDeletion(scope),
    ...materialWrites(scope),
    ...materialStateWrites(scope),
    ...aliasWrites(scope),
    ...grantWrites(scope),
    ...trailWrites(scope),
    ...olderRowWrites(scope),
    ...generationWrites(scope),
    empty: (keep) => empty(scope, keep),
    changesSince: change.changesSince,
    insertOutbox: (row) => insertOutbox({ ...scope, ...change }, row),
    insertOutgoingEvent: (event) => insertOutgoingEvent(scope, event),
    skipChanges: change.skip,
    acceptLost: (lost) => insertRecords(lostChanges, scope, lost),
  }
}

/** Deletes in the order of references between rows. The committed outbox rows stay. */
async function empty(
  { query, tally, touch, deletesMaterial }: WriteScope,
  { accountId }: Parameters<Transaction['empty']>[0],
): Promise<void> {
  for (const table of everyTable.toReversed()) {
    if (!('emptied' in table)) continue
    if (table.name === 'accounts') {
      await query.deleteFrom('accounts').where('account_id', '!=', accountId).execute()
    } else if (table.name === 'access_keys') {
      await query
        .deleteFrom('access_keys')
        .where((row) =>
          row.or([row('account_id', '!=', accountId), row('principal_kind', '!=', 'root')]),
        )
        .execute()
    } else await query.deleteFrom(table.name).execute()
  }
  deletesMaterial()
  tally.forget()
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
