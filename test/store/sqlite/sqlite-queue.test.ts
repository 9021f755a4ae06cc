/** The queue for the one connection: leases, order, and clients that leave. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openSqlite } from '../../../src/store/sqlite/sqlite.ts'
import type {
  SqliteFailure,
  SqliteRequest,
  SqliteResponse,
} from '../../../src/store/sqlite/sqlite-protocol.ts'
import { type SqliteSession, createSqliteQueue } from '../../../src/store/sqlite/sqlite-queue.ts'
import { temporaryFolder } from '../engines.ts'

type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never

interface Client {
  readonly session: SqliteSession
  /** The answer, if it came at once. */
  readonly ask: (request: Unnumbered<SqliteRequest>) => SqliteResponse | undefined
  readonly answers: SqliteResponse[]
}

function start(t: TestContext) {
  const connection = openSqlite(join(temporaryFolder(t), 'trent.db'))
  t.after(() => connection.close())
  connection.run('CREATE TABLE t (n INTEGER) STRICT', [])
  const committed: number[] = []
  const queue = createSqliteQueue(connection, {
    leaseMs: 60_000,
    committed: (changeNumber) => committed.push(changeNumber),
    fatal: (failure: SqliteFailure) => assert.fail(failure.message),
  })
  t.after(() => queue.stop())
  const connect = (): Client => {
    const answers: SqliteResponse[] = []
    const session = { answer: (response: SqliteResponse) => void answers.push(response) }
    let id = 0
    return {
      session,
      answers,
      ask(request) {
        id += 1
        queue.take(session, { ...request, id })
        return answers.findLast((answer) => answer.id === id)
      },
    }
  }
  return { queue, connect, connection, committed }
}

const select = { kind: 'run', lease: 0, sql: 'SELECT n FROM t ORDER BY n', parameters: [] } as const

function insert(lease: number, n: number) {
  return { kind: 'run', lease, sql: 'INSERT INTO t VALUES (?)', parameters: [n] } as const
}

function leaseOf(response: SqliteResponse | undefined): number {
  assert.ok(response !== undefined && 'result' in response)
  assert.ok(typeof response.result === 'number')
  return response.result
}

function rowsOf(response: SqliteResponse | undefined): readonly unknown[] {
  assert.ok(response !== undefined && 'result' in response)
  assert.ok(typeof response.result === 'object')
  return response.result.rows.map(({ n }) => n)
}

function failureOf(response: SqliteResponse | undefined): SqliteFailure {
  assert.ok(response !== undefined && 'failure' in response)
  return response.failure
}

test('while a lease is held others wait, and are then served in their order', (t) => {
  const { connect } = start(t)
  const [holder, second, third] = [connect(), connect(), connect()]
  const lease = leaseOf(holder.ask({ kind: 'begin' }))
  assert.ok(holder.ask(insert(lease, 1)) !== undefined)
  assert.equal(second.ask(select), undefined)
  assert.equal(third.ask({ kind: 'begin' }), undefined)
  assert.equal(second.ask(insert(0, 3)), undefined)
  assert.ok(holder.ask({ kind: 'commit', lease }) !== undefined)
  // The read saw the commit; the statement behind the third's lease waits for that lease.
  assert.deepEqual(second.answers.map(rowsOf), [[1]])
  const thirdLease = leaseOf(third.answers[0])
  assert.ok(third.ask({ kind: 'rollback', lease: thirdLease }) !== undefined)
  assert.equal(second.answers.length, 2)
  assert.deepEqual(rowsOf(holder.ask(select)), [1, 3])
})

test("another's lease, or one that is over, opens nothing", (t) => {
  const { connect } = start(t)
  const [holder, thief] = [connect(), connect()]
  const lease = leaseOf(holder.ask({ kind: 'begin' }))
  assert.equal(failureOf(thief.ask(insert(lease, 1))).kind, 'lease')
  assert.equal(failureOf(thief.ask({ kind: 'commit', lease })).kind, 'lease')
  assert.equal(failureOf(thief.ask(insert(lease + 1, 1))).kind, 'lease')
  assert.ok(thief.ask({ kind: 'rollback', lease }) !== undefined)
  assert.ok('result' in (holder.ask(insert(lease, 2)) ?? {}))
  assert.ok('result' in (holder.ask({ kind: 'commit', lease }) ?? {}))
  assert.equal(failureOf(holder.ask(insert(lease, 3))).kind, 'lease')
  assert.deepEqual(rowsOf(holder.ask(select)), [2])
})

test('a client that leaves is rolled back, and the next is served', (t) => {
  const { queue, connect } = start(t)
  const [holder, waiting, gone] = [connect(), connect(), connect()]
  const lease = leaseOf(holder.ask({ kind: 'begin' }))
  holder.ask(insert(lease, 1))
  gone.ask(insert(0, 2))
  waiting.ask(select)
  queue.leave(gone.session)
  assert.deepEqual(waiting.answers, [])
  queue.leave(holder.session)
  assert.deepEqual(waiting.answers.map(rowsOf), [[]])
  assert.deepEqual(gone.answers, [])
})

test('nothing runs on in a transaction that the database has rolled back', (t) => {
  const { connect } = start(t)
  const client = connect()
  const lease = leaseOf(client.ask({ kind: 'begin' }))
  client.ask(insert(lease, 1))
  client.ask({ kind: 'run', lease, sql: 'ROLLBACK', parameters: [] })
  assert.equal(failureOf(client.ask(insert(lease, 2))).kind, 'refused')
  assert.equal(failureOf(client.ask({ kind: 'commit', lease })).kind, 'refused')
  assert.deepEqual(rowsOf(client.ask(select)), [])
})

test('the change number is reported after the commit and before its answer', (t) => {
  const { connect, connection, committed } = start(t)
  connection.run('CREATE TABLE change_head (id INTEGER, seq INTEGER) STRICT', [])
  connection.run('INSERT INTO change_head VALUES (1, 6)', [])
  const client = connect()
  const lease = leaseOf(client.ask({ kind: 'begin' }))
  const sql = 'UPDATE change_head SET seq = seq + 1'
  client.ask({ kind: 'run', lease, sql, parameters: [] })
  assert.deepEqual(committed, [])
  client.ask({ kind: 'commit', lease })
  assert.deepEqual(committed, [7])
})

test('a full queue refuses new requests, and serves those in it', (t) => {
  const { connect } = start(t)
  const [holder, eager] = [connect(), connect()]
  const lease = leaseOf(holder.ask({ kind: 'begin' }))
  for (let sent = 0; sent < 10_000; sent += 1) assert.equal(eager.ask(select), undefined)
  assert.equal(failureOf(eager.ask(select)).kind, 'refused')
  holder.ask({ kind: 'rollback', lease })
  assert.equal(eager.answers.length, 10_001)
  assert.ok('result' in (eager.ask(select) ?? {}))
})
