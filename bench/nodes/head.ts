/**
 * Confirmations and changes a second through the row of the last change, by clients that each have a connection
 * pool of their own, as nodes have. The store of Trent makes them, without its servers.
 * @module
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { NodeRecord } from '../../src/model/node.ts'
import { createStore } from '../../src/store/bound-store.ts'
import { openDatabase, type OwnedDatabase } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { accountId, insertAccounts, insertKeys, newKey, region } from '../../test/store/records.ts'
import { createLatencies } from '../latencies.ts'
import { print, tableHead, tableLine, type Column } from '../table.ts'
import { readUsage, usageBetween } from '../usage.ts'
import type { Database } from './postgres.ts'

const clients = 8
const targetKeyId = 'bench'

const columns: readonly Column[] = [
  { name: 'what', width: 14 },
  { name: 'a second', width: 8, digits: 0 },
  { name: 'p50 ms', width: 7, digits: 2 },
  { name: 'p99 ms', width: 7, digits: 2 },
  { name: 'client µs', width: 9, digits: 0 },
  { name: 'PostgreSQL µs', width: 13, digits: 0 },
]

/** The tag of a row is an HMAC, as in a server. */
const tagOf = (canonical: Uint8Array): Buffer =>
  createHmac('sha256', 'bench').update(canonical).digest()
const keyring = {
  tagRow: tagOf,
  checkRowTag: (canonical: Uint8Array, tag: Uint8Array) => tagOf(canonical).equals(tag),
}

interface Client {
  readonly database: OwnedDatabase
  readonly store: Store
  readonly node: NodeRecord
}

async function openClient(url: string): Promise<Client> {
  const nodeId = randomBytes(8).toString('hex')
  const database = await openDatabase({ path: '', url, nodeId })
  const onForgedRow = (table: string): never => {
    throw new Error(`forged: ${table}`)
  }
  const store = createStore(database, keyring, { onForgedRow })
  const now = Date.now()
  const node: NodeRecord = {
    nodeId,
    name: 'bench',
    deploymentId: 'bench',
    state: 'serving',
    firstSeen: now,
    confirmedAt: now,
    reachedAt: now,
    clockOffset: 0,
    appliedSeq: 0,
    appliedId: '0'.repeat(16),
    positions: [],
    oldestKey: 1,
    knownKey: 1,
    currentKey: 1,
    rowVersion: 1,
  }
  await store.insertNode(node)
  return { database, store, node }
}

/** As the node of a server does, but at once again and not after a second. */
async function confirm({ database, store, node }: Client): Promise<void> {
  const now = Date.now()
  await database.following?.confirm(({ seq, changeId }) =>
    store.sealNode({ ...node, confirmedAt: now, appliedSeq: seq, appliedId: changeId }),
  )
}

/** A small change: one row, and its line in the log of changes. */
async function change({ store }: Client): Promise<void> {
  const createdAt = Date.now()
  const name = `alias/${randomBytes(12).toString('hex')}`
  const alias = { accountId, region, name, targetKeyId, createdAt, updatedAt: createdAt }
  await store.change(async (transaction) => void (await transaction.insertAlias(alias)))
}

export async function measureHead(postgres: Database, seconds: number): Promise<void> {
  const url = await postgres.create('head')
  const opened: Client[] = []
  for (let number = 0; number < clients; number += 1) opened.push(await openClient(url))
  const [first] = opened
  if (first === undefined) throw new Error('there are no clients')
  await insertAccounts(first.store)
  await insertKeys(first.store, newKey(targetKeyId))
  print(
    `\nThe row of the last change: ${clients} clients, ${seconds} s each\n${tableHead(columns)}`,
  )
  // After the confirmations, each client knows the others, and notifies them of its changes.
  for (const [what, act] of [
    ['confirmations', confirm],
    ['changes', change],
  ] as const) {
    await inLoop(opened, act, Math.min(1, seconds / 4))
    const before = { used: process.cpuUsage(), database: readUsage(postgres.pid) }
    const { latencies, elapsed } = await inLoop(opened, act, seconds)
    const used = process.cpuUsage(before.used)
    const { process: ofDatabase } = usageBetween(before.database, readUsage(postgres.pid))
    const row = {
      what,
      'a second': latencies.count / elapsed,
      'p50 ms': latencies.percentile(0.5),
      'p99 ms': latencies.percentile(0.99),
      'client µs': (used.user + used.system) / latencies.count,
      'PostgreSQL µs': ofDatabase / latencies.count / 1000,
    }
    print(tableLine(row, columns))
  }
  for (const { database } of opened) await database.close()
}

async function inLoop(
  opened: readonly Client[],
  act: (client: Client) => Promise<void>,
  seconds: number,
) {
  const latencies = createLatencies()
  const begun = performance.now()
  const until = begun + seconds * 1000
  const loops = opened.map(async (client) => {
    while (performance.now() < until) {
      const since = performance.now()
      await act(client)
      latencies.add(performance.now() - since)
    }
  })
  await Promise.all(loops)
  return { latencies, elapsed: (performance.now() - begun) / 1000 }
}
