/** The queue for the one connection: leases, order, and clients that leave. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openSqlite } from '../../../src/store/sqlite/sqlite.ts'
import { failureOf as classified } from '../../../src/store/sqlite/sqlite-failure.ts'
import type {
  SqliteFailure,
  SqliteQuestions,
  SqliteResult,
  SqliteStatement,
} from '../../../src/store/sqlite/sqlite-protocol.ts'
import { type SqliteSession, createSqliteQueue } from '../../../src/store/sqlite/sqlite-queue.ts'
import { temporaryFolder } from '../engines.ts'

type Answer = { readonly result: unknown } | { readonly failure: SqliteFailure }

interface Client {
  readonly session: SqliteSession
  /** The answer, if it came at once. */
  readonly ask: <Name extends keyof SqliteQuestions>(
    name: Name,
    given: SqliteQuestions[Name][0],
  ) => Answer | undefined
  readonly answers: Answer[]
}

function start(t: TestContext) {
  const connection = openSqlite(join(temporaryFolder(t), 'trent.db'))
  t.after(() => connection.close())
  connection.run('CREATE TABLE t (n INTEGER) STRICT', [])
  const committed: number[] = []
  const queue = createSqliteQueue(connection, {
    leaseMs: 60_000,
    committed: (changeNumber) => committed.push(changeNumber),
    fatal: (failure) => assert.fail(failure.message),
  })
  t.after(() => queue.stop())
  const connect = (): Client => {
    const answers: Answer[] = []
    const answered = (answer: Answer): Answer => {
      answers.push(answer)
      return answer
    }
    const failed = (error: unknown): Answer => answered({ failure: classified(error) })
    const session = queue.enter()
    return {
      session,
      answers,
      ask(name, given) {
        try {
          const act: (given: never) => unknown = session[name]
          const result = act(given as never)
          if (!(result instanceof Promise)) return answered({ result })
          result.then((value) => answered({ result: value }), failed)
          return undefined
        } catch (error) {
          return failed(error)
        }
      },
    }
  }
  return { queue, connect, connection, committed }
}

/** Lets the promises of requests that waited settle. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const select: SqliteStatement = { lease: 0, sql: 'SELECT n FROM t ORDER BY n', parameters: [] }

function insert(lease: number, n: number): SqliteStatement {
  return { lease, sql: 'INSERT INTO t VALUES (?)', parameters: [n] }
}

function leaseOf(answer: Answer | undefined): number {
  assert.ok(answer !== undefined && 'result' in answer)
  assert.ok(typeof answer.result === 'number')
  return answer.result
}

function rowsOf(answer: Answer | undefined): readonly unknown[] {
  assert.ok(answer !== undefined && 'result' in answer)
  return (answer.result as SqliteResult).rows.map(({ n }) => n)
}

function failureOf(answer: Answer | undefined): SqliteFailure {
  assert.ok(answer !== undefined && 'failure' in answer)
  return answer.failure
}

test('while a lease is held others wait, and are then served in their order', async (t) => {
  const { connect } = start(t)
  const [holder, second, third] = [connect(), connect(), connect()]
  const lease = leaseOf(holder.ask('begin', undefined))
  assert.ok(holder.ask('run', insert(lease, 1)) !== undefined)
  assert.equal(second.ask('run', select), undefined)
  assert.equal(third.ask('begin', undefined), undefined)
  assert.equal(second.ask('run', insert(0, 3)), undefined)
  assert.ok(holder.ask('commit', lease) !== undefined)
  await settled()
  // The read saw the commit; the statement behind the third's lease waits for that lease.
  assert.deepEqual(second.answers.map(rowsOf), [[1]])
  const thirdLease = leaseOf(third.answers[0])
  assert.ok(third.ask('rollback', thirdLease) !== undefined)
  await settled()
  assert.equal(second.answers.length, 2)
  assert.deepEqual(rowsOf(holder.ask('run', select)), [1, 3])
})

test("another's lease, or one that is over, opens nothing", (t) => {
  const { connect } = start(t)
  const [holder, thief] = [connect(), connect()]
  const lease = leaseOf(holder.ask('begin', undefined))
  assert.equal(failureOf(thief.ask('run', insert(lease, 1))).kind, 'lease')
  assert.equal(failureOf(thief.ask('commit', lease)).kind, 'lease')
  assert.equal(failureOf(thief.ask('run', insert(lease + 1, 1))).kind, 'lease')
  assert.ok(thief.ask('rollback', lease) !== undefined)
  assert.ok('result' in (holder.ask('run', insert(lease, 2)) ?? {}))
  assert.ok('result' in (holder.ask('commit', lease) ?? {}))
  assert.equal(failureOf(holder.ask('run', insert(lease, 3))).kind, 'lease')
  assert.deepEqual(rowsOf(holder.ask('run', select)), [2])
})

test('a client that leaves is rolled back, and the next is served', async (t) => {
  const { connect } = start(t)
  const [holder, waiting, gone] = [connect(), connect(), connect()]
  const lease = leaseOf(holder.ask('begin', undefined))
  holder.ask('run', insert(lease, 1))
  gone.ask('run', insert(0, 2))
  waiting.ask('run', select)
  gone.session.leave()
  await settled()
  assert.deepEqual(waiting.answers, [])
  holder.session.leave()
  await settled()
  assert.deepEqual(waiting.answers.map(rowsOf), [[]])
  assert.deepEqual(gone.answers, [])
})

test('nothing runs on in a transaction that the database has rolled back', (t) => {
  const { connect } = start(t)
  const client = connect()
  const lease = leaseOf(client.ask('begin', undefined))
  client.ask('run', insert(lease, 1))
  client.ask('run', { lease, sql: 'ROLLBACK', parameters: [] })
  assert.equal(failureOf(client.ask('run', insert(lease, 2))).kind, 'refused')
  assert.equal(failureOf(client.ask('commit', lease)).kind, 'refused')
  assert.deepEqual(rowsOf(client.ask('run', select)), [])
})

test('the change number is reported after the commit and before its answer', (t) => {
  const { connect, connection, committed } = start(t)
  connection.run('CREATE TABLE change_head (id INTEGER, seq INTEGER) STRICT', [])
  connection.run('INSERT INTO change_head VALUES (1, 6)', [])
  const client = connect()
  const lease = leaseOf(client.ask('begin', undefined))
  const sql = 'UPDATE change_head SET seq = seq + 1'
  client.ask('run', { lease, sql, parameters: [] })
  assert.deepEqual(committed, [])
  client.ask('commit', lease)
  assert.deepEqual(committed, [7])
})

test('a full queue refuses new requests, and serves those in it', async (t) => {
  const { connect } = start(t)
  const [holder, eager] = [connect(), connect()]
  const lease = leaseOf(holder.ask('begin', undefined))
  for (let sent = 0; sent < 10_000; sent += 1) assert.equal(eager.ask('run', select), undefined)
  assert.equal(failureOf(eager.ask('run', select)).kind, 'refused')
  holder.ask('rollback', lease)
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
  assert.throws(() => session.begin(), malformed)
  assert.equal(statements, 1)
  assert.deepEqual(failures, [{ kind: 'fatal', ...malformed }])
})
