/** Clients of a queue for one connection, and what they send. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openSqlite, type SqliteConnection } from '../../../src/store/sqlite/sqlite.ts'
import { failureOf as classified } from '../../../src/store/sqlite/sqlite-failure.ts'
import type {
  SqliteBatch,
  SqliteFailure,
  SqliteQuestions,
  SqliteResult,
  SqliteStatement,
  SqliteStep,
} from '../../../src/store/sqlite/sqlite-protocol.ts'
import { type SqliteSession, createSqliteQueue } from '../../../src/store/sqlite/sqlite-queue.ts'
import { temporaryFolder } from '../engines.ts'

type Answer = { readonly result: unknown } | { readonly failure: SqliteFailure }

export interface Client {
  readonly session: SqliteSession
  /** The answer, if it came at once. */
  readonly ask: <Name extends keyof SqliteQuestions>(
    name: Name,
    given: SqliteQuestions[Name][0],
  ) => Answer | undefined
  readonly answers: Answer[]
}

export function start(t: TestContext) {
  const connection = openSqlite(join(temporaryFolder(t), 'trent.db'))
  t.after(() => connection.close())
  connection.run('CREATE TABLE t (n INTEGER) STRICT', [])
  return { connection, ...clientsOf(t, connection) }
}

export function clientsOf(t: TestContext, connection: SqliteConnection, { leaseMs = 60_000 } = {}) {
  const committed: number[] = []
  const queue = createSqliteQueue(connection, {
    leaseMs,
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
  return { connect, committed }
}

/** Lets the promises of requests that waited settle. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export const select: SqliteStatement = { sql: 'SELECT n FROM t ORDER BY n', parameters: [] }

export function insert(n: number): SqliteStatement {
  return { sql: 'INSERT INTO t VALUES (?)', parameters: [n] }
}

/** The first statements of a transaction. */
export function begin(lease: number, ...steps: readonly SqliteStep[]): SqliteBatch {
  return { lease, begins: true, steps }
}

export function more(lease: number, ...steps: readonly SqliteStep[]): SqliteBatch {
  return { lease, begins: false, steps }
}

export const commit = (lease: number, ...steps: readonly SqliteStep[]): SqliteBatch => ({
  ...more(lease, ...steps),
  ends: 'commit',
})
export const rollback = (lease: number): SqliteBatch => ({ ...more(lease), ends: 'rollback' })

export function rowsOf(answer: Answer | undefined): readonly unknown[] {
  assert.ok(answer !== undefined && 'result' in answer)
  return (answer.result as SqliteResult).rows.map(({ n }) => n)
}

export function failureOf(answer: Answer | undefined): SqliteFailure {
  assert.ok(answer !== undefined && 'failure' in answer)
  return answer.failure
}
