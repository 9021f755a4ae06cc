/** The session by which a node confirms, and hears and sends messages. @module */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import type { NodeRecord } from '../../../src/model/node.ts'
import { DatabaseUnreachable } from '../../../src/store/postgres/postgres-failure.ts'
import { openPostgres } from '../../../src/store/postgres/open-postgres.ts'
import { storeOf } from '../engines.ts'
import { installedPostgres } from './postgres-binaries.ts'
import { startPair } from './postgres-pair.ts'
import { skip, testDatabase, testedVersions } from './shared-server.ts'
import { asSuperuser, type ServerAddress, untilSo } from './superuser.ts'
import { templateWithTables } from './template.ts'

const [version = 0] = testedVersions
const channel = 'trent_test'

test('messages that are sent at once share a session', { skip }, async (t) => {
  const { url, admin } = await testDatabase(t, version, await templateWithTables(version))
  const database = await openPostgres({ url })
  t.after(() => database.close())
  const { following } = database
  const messages = new EventEmitter()
  const heard: string[] = []
  following.hear(channel, (payload) => {
    heard.push(payload)
    messages.emit(payload)
  })
  const listeners = async (): Promise<readonly unknown[]> =>
    await admin(`SELECT pid FROM pg_stat_activity WHERE datname = current_database()
      AND pid <> pg_backend_pid() AND (query LIKE 'LISTEN %' OR query LIKE 'SELECT pg_notify%')`)
  const sendAll = async (name: string): Promise<boolean> => {
    const sent = [1, 2, 3].map((number) => following.tell(channel, `${name}-${number}`))
    return (await Promise.allSettled(sent)).every(({ status }) => status === 'fulfilled')
  }
  assert.equal(await sendAll('first'), true)
  assert.equal((await listeners()).length, 1)
  await admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`)
  // Until the node has seen the end of its session, nothing can be sent.
  for (let round = 0; !(await sendAll(`round-${round}`)); round += 1) assert.ok(round < 1000)
  assert.equal((await listeners()).length, 1)
  const last = once(messages, 'last')
  await following.tell(channel, 'last')
  await last
  for (const number of [1, 2, 3]) assert.ok(heard.includes(`first-${number}`), heard.join())
  assert.equal(new Set(heard).size, heard.length)
})

const node: NodeRecord = {
  nodeId: '00112233aabbccdd',
  name: 'n',
  deploymentId: 'd',
  state: 'serving',
  firstSeen: 1,
  confirmedAt: 1,
  reachedAt: 1,
  clockOffset: 0,
  appliedSeq: 0,
  appliedId: '0'.repeat(16),
  oldestKey: 1,
  knownKey: 1,
  currentKey: 1,
  positions: [],
  rowVersion: 1,
}

test('a confirmation on a new primary listens there', { skip, timeout: 120_000 }, async (t) => {
  const binaries = installedPostgres().find((each) => each.version === version)
  assert.ok(binaries)
  const { superuser, password, primary, standby } = await startPair(t, binaries)
  const addressOf = (port: number): ServerAddress => ({ superuser, password, port })
  const hosts = `127.0.0.1:${primary.port},127.0.0.1:${standby.port}`
  const url = `postgres://${superuser}:${password}@${hosts}/postgres`
  const database = await openPostgres({ url, nodeId: node.nodeId })
  t.after(() => database.close())
  const { store } = storeOf(database)
  await store.insertNode(node)
  const messages = new EventEmitter()
  database.following.hear(channel, (payload) => messages.emit('message', payload))
  const confirm = (): Promise<unknown> => database.following.confirm(() => store.sealNode(node))
  /** What another session says on a server, once it has said it. */
  const told = async (port: number, payload: string): Promise<void> => {
    const heard = once(messages, 'message')
    await asSuperuser(addressOf(port), 'postgres', `SELECT pg_notify('${channel}', '${payload}')`)
    assert.deepEqual(await heard, [payload])
  }
  await confirm()
  await told(primary.port, 'on the first primary')

  // A statement that names a table fails until the standby has the table.
  await untilSo(addressOf(standby.port), `to_regclass('nodes') IS NOT NULL`)
  await untilSo(addressOf(standby.port), `EXISTS (SELECT FROM nodes)`)
  primary.process.kill('SIGQUIT')
  await once(primary.process, 'exit')
  await assert.rejects(confirm())
  await assert.rejects(confirm(), DatabaseUnreachable)
  await asSuperuser(addressOf(standby.port), 'postgres', 'SELECT pg_promote()')
  await confirm()
  await told(standby.port, 'on the second primary')
})
