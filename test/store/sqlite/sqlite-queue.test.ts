/** The queue for the one connection: leases, order, groups, and clients that leave. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SqliteConnection } from '../../../src/store/sqlite/sqlite.ts'
import type { SqliteFailure } from '../../../src/store/sqlite/sqlite-protocol.ts'
import { createSqliteQueue } from '../../../src/store/sqlite/sqlite-queue.ts'
import {
  begin,
  clientsOf,
  commit,
  failureOf,
  insert,
  more,
  rollback,
  rowsOf,
  select,
  settled,
  start,
} from './queue-clients.ts'

test('while a lease is held others wait, and are then served in their order', async (t) => {
  const { connect } = start(t)
  const [holder, second, third] = [connect(), connect(), connect()]
  assert.ok(holder.ask('transact', begin(1, insert(1))) !== undefined)
  assert.equal(second.ask('run', select), undefined)
  assert.equal(third.ask('transact', begin(1, select)), undefined)
  assert.equal(second.ask('run', insert(3)), undefined)
  holder.ask('transact', commit(1))
  await settled()
  // The read saw the commit; the statement behind the third's lease waits for that lease.
  assert.deepEqual(second.answers.map(rowsOf), [[1]])
  assert.deepEqual(third.answers.map(rowsOf), [[1]])
  third.ask('transact', rollback(1))
  await settled()
  assert.equal(second.answers.length, 2)
  assert.deepEqual(rowsOf(holder.ask('run', select)), [1, 3])
})

test("another's lease, or one that is over, opens nothing", async (t) => {
  const { connect } = start(t)
  const [holder, thief] = [connect(), connect()]
  holder.ask('transact', begin(1, select))
  assert.equal(failureOf(thief.ask('transact', more(1, insert(1)))).kind, 'lease')
  assert.equal(failureOf(thief.ask('transact', commit(1))).kind, 'lease')
  assert.equal(failureOf(holder.ask('transact', more(2, insert(1)))).kind, 'lease')
  assert.ok('result' in (thief.ask('transact', rollback(1)) ?? {}))
  holder.ask('transact', commit(1, insert(2)))
  await settled()
  assert.ok('result' in (holder.answers.at(-1) ?? {}))
  assert.equal(failureOf(holder.ask('transact', more(1, insert(3)))).kind, 'lease')
  assert.deepEqual(rowsOf(holder.ask('run', select)), [2])
})

test('a client that leaves is rolled back, and the next is served', async (t) => {
  const { connect } = start(t)
  const [holder, waiting, gone] = [connect(), connect(), connect()]
  holder.ask('transact', begin(1, insert(1)))
  gone.ask('run', insert(2))
  waiting.ask('run', select)
  gone.session.leave()
  await settled()
  assert.deepEqual(waiting.answers, [])
  holder.session.leave()
  await settled()
  assert.deepEqual(waiting.answers.map(rowsOf), [[]])
  assert.deepEqual(gone.answers, [])
})

test('nothing runs on in a transaction that the database has rolled back', async (t) => {
  const { connect } = start(t)
  const client = connect()
  client.ask('transact', begin(1, insert(1)))
  client.ask('transact', more(1, { sql: 'ROLLBACK', parameters: [] }))
  assert.equal(failureOf(client.ask('transact', more(1, insert(2)))).kind, 'refused')
  client.ask('transact', commit(1))
  await settled()
  assert.equal(failureOf(client.answers.at(-1)).kind, 'refused')
  assert.deepEqual(rowsOf(client.ask('run', select)), [])
})

test('a statement that nobody waits for rolls the transaction back if it fails', async (t) => {
  const { connect, connection } = start(t)
  connection.run('CREATE UNIQUE INDEX one ON t (n)', [])
  const client = connect()
  client.ask('transact', begin(1, insert(1), insert(1), select))
  await settled()
  assert.equal(failureOf(client.answers[0]).kind, 'duplicate')
  assert.equal(failureOf(client.ask('transact', more(1, select))).kind, 'lease')
  client.ask('transact', { ...begin(2, insert(1), insert(1)), ends: 'commit' })
  const nothing = { sql: 'DELETE FROM t WHERE n = 9', parameters: [] }
  client.ask('transact', { ...begin(3, insert(1), { ...nothing, rows: 1 }), ends: 'commit' })
  await settled()
  assert.equal(failureOf(client.answers.at(-2)).kind, 'duplicate')
  assert.equal(failureOf(client.answers.at(-1)).kind, 'stale')
  assert.deepEqual(rowsOf(client.ask('run', select)), [])
})

test('after a refused statement that is awaited, the transaction goes on', async (t) => {
  const { connect, connection } = start(t)
  connection.run('CREATE UNIQUE INDEX one ON t (n)', [])
  const client = connect()
  client.ask('transact', begin(1, insert(1)))
  assert.equal(failureOf(client.ask('transact', more(1, insert(1)))).kind, 'duplicate')
  client.ask('transact', commit(1, insert(2)))
  await settled()
  assert.deepEqual(rowsOf(client.ask('run', select)), [1, 2])
})

test('the change number is reported after the commit and before its answer', async (t) => {
  const { connect, connection, committed } = start(t)
  connection.run('CREATE TABLE change_head (id INTEGER, seq INTEGER) STRICT', [])
  connection.run('INSERT INTO change_head VALUES (1, 6)', [])
  const client = connect()
  const sql = 'UPDATE change_head SET seq = seq + 1'
  client.ask('transact', begin(1, { sql, parameters: [] }))
  assert.deepEqual(committed, [])
  client.ask('transact', commit(1))
  assert.deepEqual(committed, [7])
  await settled()
  assert.equal(client.answers.length, 2)
})

/** Counts the commits of a connection. While `fail` is true, each of them fails as on a full disk. */
function counting(connection: SqliteConnection) {
  const commits = { made: 0, fail: false }
  const counted: SqliteConnection = {
    ...connection,
    commit() {
      commits.made += 1
      if (!commits.fail) return connection.commit()
      connection.rollback()
      throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
    },
  }
  return { commits, counted }
}

test('transactions that wait for each other commit together, without one that fails', async (t) => {
  const { connection } = start(t)
  const { commits, counted } = counting(connection)
  const { connect } = clientsOf(t, counted)
  const clients = Array.from({ length: 4 }, () => connect())
  const [first, second, third, reader] = clients
  first?.ask('transact', begin(1, insert(1)))
  second?.ask('transact', begin(1, insert(2), select))
  third?.ask('transact', { ...begin(1, insert(3)), ends: 'commit' })
  reader?.ask('run', select)
  first?.ask('transact', commit(1))
  await settled()
  assert.equal(first?.answers.length, 1, 'it is not committed yet')
  assert.deepEqual(second?.answers.map(rowsOf), [[1, 2]], 'the second sees what the first wrote')
  second?.ask('transact', rollback(1))
  assert.equal(second?.answers.length, 1, 'what it saw is not committed yet')
  await settled()
  assert.deepEqual(
    [first, second, third].map((client) => client?.answers.length),
    [2, 2, 1],
  )
  assert.equal(commits.made, 1)
  assert.deepEqual(reader?.answers.map(rowsOf), [[1, 3]])
})

test('no transaction of a group counts as committed if the commit fails', async (t) => {
  const { connection } = start(t)
  const { commits, counted } = counting(connection)
  const { connect, committed } = clientsOf(t, counted)
  const [first, second] = [connect(), connect()]
  commits.fail = true
  first.ask('transact', begin(1, insert(1)))
  second.ask('transact', { ...begin(1, insert(2)), ends: 'commit' })
  first.ask('transact', commit(1))
  await settled()
  assert.equal(failureOf(first.answers.at(-1)).kind, 'refused')
  assert.equal(failureOf(second.answers.at(-1)).kind, 'refused')
  assert.deepEqual(committed, [])
  commits.fail = false
  assert.deepEqual(rowsOf(first.ask('run', select)), [])
  first.ask('transact', { ...begin(2, insert(3)), ends: 'commit' })
  await settled()
  assert.deepEqual(rowsOf(first.ask('run', select)), [3])
})

test('a group fails whole if the database rolls it back, and the next one begins anew', async (t) => {
  const { connect } = start(t)
  const [first, second, third] = [connect(), connect(), connect()]
  first.ask('transact', begin(1, insert(1)))
  second.ask('transact', begin(1, insert(2)))
  first.ask('transact', commit(1))
  await settled()
  third.ask('transact', { ...begin(1, insert(3)), ends: 'commit' })
  second.ask('transact', more(1, { sql: 'ROLLBACK', parameters: [] }))
  second.ask('transact', commit(1))
  await settled()
  assert.equal(failureOf(first.answers.at(-1)).kind, 'refused')
  assert.equal(failureOf(second.answers.at(-1)).kind, 'refused')
  assert.ok('result' in (third.answers[0] ?? {}))
  assert.deepEqual(rowsOf(third.ask('run', select)), [3])
})

test('a group has a limit, and many transactions of one batch each need no depth', async (t) => {
  const { connection } = start(t)
  const { commits, counted } = counting(connection)
  const { connect } = clientsOf(t, counted)
  const [holder, eager] = [connect(), connect()]
  holder.ask('transact', begin(1, select))
  for (let n = 1; n <= 5000; n += 1)
    eager.ask('transact', { ...begin(n, insert(n)), ends: 'commit' })
  holder.ask('transact', rollback(1))
  await settled()
  assert.equal(eager.answers.length, 5000)
  assert.ok(eager.answers.every((answer) => 'result' in answer))
  assert.equal(commits.made, Math.ceil(5000 / 16))
})

test('an idle transaction is rolled back, and those that wait for its group are answered', async (t) => {
  const { connection } = start(t)
  const { connect } = clientsOf(t, connection, { leaseMs: 20 })
  const [first, idle] = [connect(), connect()]
  first.ask('transact', begin(1, insert(1)))
  idle.ask('transact', begin(1, insert(2)))
  first.ask('transact', commit(1))
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.ok('result' in (first.answers.at(-1) ?? {}))
  assert.equal(failureOf(idle.ask('transact', commit(1))).kind, 'lease')
  assert.deepEqual(rowsOf(first.ask('run', select)), [1])
})

test('a full queue refuses new requests, and serves those in it', async (t) => {
  const { connect } = start(t)
  const [holder, eager] = [connect(), connect()]
  holder.ask('transact', begin(1, select))
  for (let sent = 0; sent < 10_000; sent += 1) assert.equal(eager.ask('run', select), undefined)
  assert.equal(failureOf(eager.ask('run', select)).kind, 'refused')
  holder.ask('transact', rollback(1))
  await settled()
  assert.equal(eager.answers.length, 10_001)
  assert.ok('result' in (eager.ask('run', select) ?? {}))
})

test('after a failure that ends the database nothing runs any more', (t) => {
  const { connection } = start(t)
  const failures: SqliteFailure[] = []
  let statements = 0
  const damaged = {
    ...connection,
    run(...statement: Parameters<typeof connection.run>) {
      statements += 1
      if (statements > 1) return connection.run(...statement)
      throw Object.assign(new Error('database disk image is malformed'), { errcode: 11 })
    },
  }
  const queue = createSqliteQueue(damaged, {
    leaseMs: 60_000,
    committed: () => assert.fail('nothing was committed'),
    fatal: (failure) => failures.push(failure),
  })
  const session = queue.enter()
  const malformed = { message: 'database disk image is malformed' }
  assert.throws(() => session.run(select), malformed)
  assert.throws(() => session.run(select), malformed)
  assert.throws(() => session.transact(begin(1, select)), malformed)
  assert.equal(statements, 1)
  assert.deepEqual(failures, [{ kind: 'fatal', ...malformed }])
})
