/** What a client sends to the store thread, and what a released connection may do. @module */
import { CompiledQuery } from 'kysely'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { DatabaseFailed } from '../../../src/store/database.ts'
import { openSqliteDatabase } from '../../../src/store/sqlite/open-sqlite.ts'
import { connectSqlite } from '../../../src/store/sqlite/sqlite-client.ts'
import { sqliteDialect } from '../../../src/store/sqlite/sqlite-dialect.ts'
import { temporaryFolder } from '../engines.ts'

test('a view of a larger buffer is sent without what surrounds it', async (t) => {
  const { port1, port2 } = new MessageChannel()
  t.after(() => port2.close())
  const client = connectSqlite(port1, () => assert.fail('it was closed, it did not fail'))
  const surrounded = Buffer.from('a secret, and what is stored').subarray(14)
  const connection = await sqliteDialect(client).createDriver().acquireConnection()
  const pending = connection.executeQuery(CompiledQuery.raw('SELECT ?', [surrounded]))
  // The client sends when its caller yields.
  await Promise.resolve()
  const [parameter] = receiveMessageOnPort(port2)?.message.given.parameters ?? []
  assert.ok(parameter instanceof Uint8Array)
  assert.deepEqual(Buffer.from(parameter.buffer).toString(), 'what is stored')
  client.close()
  await assert.rejects(pending, DatabaseFailed)
})

test('a connection that was released runs nothing more', async (t) => {
  const database = await openSqliteDatabase({ path: join(temporaryFolder(t), 'trent.db') })
  t.after(() => database.close())
  const client = connectSqlite(database.share().port, () => {})
  t.after(() => client.close())
  const driver = sqliteDialect(client).createDriver()
  const connection = await driver.acquireConnection()
  const { rows } = await connection.executeQuery(CompiledQuery.raw('SELECT 1 AS one'))
  assert.deepEqual(rows, [{ one: 1 }])
  await driver.releaseConnection(connection)
  await assert.rejects(connection.executeQuery(CompiledQuery.raw('SELECT 1')), /was released/)
})

test('a rollback that the database does not answer is a failure, whatever it was for', async (t) => {
  const { port1, port2 } = new MessageChannel()
  t.after(() => port2.close())
  const client = connectSqlite(port1, () => assert.fail('it was closed, it did not fail'))
  const driver = sqliteDialect(client).createDriver()
  const connection = await driver.acquireConnection()
  await driver.beginTransaction(connection, {})
  const pending = connection.executeQuery(CompiledQuery.raw('SELECT 1'))
  await Promise.resolve()
  client.close()
  await assert.rejects(pending, DatabaseFailed)
  // What it read may be rows of another change, which was never committed.
  await assert.rejects(driver.rollbackTransaction(connection), DatabaseFailed)
})
