/**
 * Changes that commit together: one sync serves all, and pages that several of them write are
 * written once. Each runs in a savepoint inside of one transaction of the database.
 *
 * INVARIANT (answer after commit): a change is answered when the transaction has committed. The
 * same holds for one that was rolled back, because it may have decided on rows of those before it.
 * @module
 */
import { SqliteRefused } from './sqlite-failure.ts'
import type { SqliteConnection } from './sqlite.ts'

/** More would let the first change wait longer, and save less than one in sixteen syncs. */
const changesMax = 16

interface Ended {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export interface SqliteGroup {
  /** Whether changes have ended that are not committed yet. */
  readonly isOpen: () => boolean
  readonly isFull: () => boolean
  readonly begin: () => void
  /** Ends a change. Resolves after the commit. */
  readonly keep: () => Promise<void>
  /** Rolls a change back. Resolves after the commit of those before it. */
  readonly undo: () => Promise<void>
  /** Never throws: a failure is the answer of each change. */
  readonly commit: () => void
}

export function createSqliteGroup(
  connection: SqliteConnection,
  committed: (changeNumber: number) => void,
): SqliteGroup {
  let ended: Ended[] = []
  let isInSavepoint = false
  const answer = (act: (change: Ended) => void): void => {
    const answered = ended
    ended = []
    answered.forEach(act)
  }
  const end = (): Promise<void> =>
    new Promise((resolve, reject) => {
      ended.push({ resolve, reject })
    })
  const fail = (error: unknown): void => {
    connection.rollback()
    answer(({ reject }) => reject(error))
  }
  const leaveSavepoint = (...statements: readonly string[]): void => {
    try {
      for (const statement of statements) connection.run(statement, [])
    } catch (error) {
      // A commit of the others would keep what could not be rolled back.
      fail(error)
      throw error
    }
  }
  /** SQLite rolls everything back by itself after some failures. */
  const isLost = (): boolean => {
    if (connection.inTransaction()) return false
    fail(new SqliteRefused(rolledBack))
    return true
  }
  return {
    isOpen: () => ended.length > 0,
    isFull: () => ended.length >= changesMax,
    begin() {
      isInSavepoint = ended.length > 0
      if (isInSavepoint) connection.run('SAVEPOINT change', [])
      else connection.begin()
    },
    keep() {
      if (isLost()) throw new SqliteRefused(rolledBack)
      if (isInSavepoint) leaveSavepoint('RELEASE change')
      return end()
    },
    async undo() {
      if (isLost()) return
      if (!isInSavepoint) return connection.rollback()
      leaveSavepoint('ROLLBACK TO change', 'RELEASE change')
      await end()
    },
    commit() {
      try {
        const changeNumber = connection.changeNumber()
        connection.commit()
        committed(changeNumber)
        answer(({ resolve }) => resolve())
      } catch (error) {
        fail(error)
      }
    },
  }
}

export const rolledBack = {
  kind: 'refused',
  message: 'the database rolled the transaction back when an earlier statement failed',
} as const
