/**
 * Changes of one process that commit together: they lock the head once, and one COMMIT and one wait for a
 * standby serve all. They would wait for each other in any case, because each of them locks the head. So a
 * change that ends while another one waits leaves the transaction to it. Each but the first runs behind a
 * savepoint, to which it can be rolled back alone.
 *
 * INVARIANT (answer after commit): a change is answered when the transaction has committed. The same holds
 * for one that was rolled back, because it may have decided on rows of those before it.
 * @module
 */
import { StatementFailed, TransactionConflict } from '../database.ts'
import { DatabaseUnreachable } from './postgres-failure.ts'
import type { Pool } from './postgres-pool.ts'
import { type PostgresSession, Unanswered } from './postgres-session.ts'

/** More would make another node wait longer for the head, and save less than one in sixteen COMMITs. */
const changesMax = 16

/** Longer than a COMMIT may take: one without an answer must not fail those who wait behind it. */
const turnMaxMsDefault = 20_000

/** How transactions begin and end. */
export interface Boundaries {
  readonly begin: (session: PostgresSession) => Promise<void>
  /** @throws {Unanswered} */
  readonly commit: (session: PostgresSession) => Promise<void>
  /** Returns if the transaction committed. By default the outcome stays unknown. */
  readonly settle?: (unanswered: Unanswered) => Promise<void>
  /** How long a change waits for those before it. */
  readonly turnMaxMs?: number
}

/** A change that has begun. It ends once, by `keep` or `undo`, whether that succeeds or not. */
export interface GroupedChange {
  readonly session: PostgresSession
  /** Rejected if the change could not begin. Its statements may be sent before. */
  readonly begun: Promise<void>
  /** Resolves after the commit. */
  readonly keep: () => Promise<void>
  /** Resolves after the commit of those before it. */
  readonly undo: () => Promise<void>
}

export class ChangeGroups {
  readonly #pool: Pool
  readonly #boundaries: Boundaries
  readonly #turns: Turns
  #open: Group | undefined

  constructor(pool: Pool, boundaries: Boundaries) {
    this.#pool = pool
    this.#boundaries = boundaries
    this.#turns = new Turns(boundaries.turnMaxMs ?? turnMaxMsDefault)
  }

  /** Waits for the changes before it. */
  async begin(): Promise<GroupedChange> {
    const since = performance.now()
    await this.#turns.take()
    try {
      this.#open ??= await this.#begin(since)
    } catch (error) {
      this.#turns.pass()
      throw error
    }
    const group = this.#open
    const begun = group.enter()
    // The next statement, or the end of the change, fails too.
    begun.catch(() => undefined)
    const { session } = group
    return { session, begun, keep: () => this.#keep(group), undo: () => this.#undo(group) }
  }

  async #begin(since: number): Promise<Group> {
    const session = await this.#pool.acquire(since)
    try {
      await this.#boundaries.begin(session)
    } catch (error) {
      this.#pool.release(session)
      throw error
    }
    const group = new Group(session)
    session.onEnded = () => this.#lose(group)
    return group
  }

  async #keep(group: Group): Promise<void> {
    if (group.isLost) throw lost()
    if (!group.session.isFailed) return await this.#leave(group)
    // PostgreSQL would roll back those before it too.
    await this.#undo(group)
    throw new StatementFailed('a statement of the transaction had failed: it was rolled back')
  }

  async #undo(group: Group): Promise<void> {
    // Why it is undone may rest on those before it, which never committed.
    if (group.isLost && !group.isFirst) throw lost()
    if (group.isLost) return
    if (group.isFirst) {
      this.#open = undefined
      await group.session.rollback()
      return this.#free(group)
    }
    // If it fails, the session ends, and with it the group.
    await group.session.rollbackToSavepoint()
    if (group.isLost) throw lost()
    await this.#leave(group)
  }

  /** Leaves the transaction to the next change, or commits it. Resolves after the commit. */
  async #leave(group: Group): Promise<void> {
    const answered = group.leave()
    if (this.#turns.isWanted && group.size < changesMax) this.#turns.pass()
    else this.#commit(group)
    await answered
  }

  #commit(group: Group): void {
    this.#open = undefined
    const { commit, settle = (unanswered) => Promise.reject(unanswered) } = this.#boundaries
    commit(group.session)
      .finally(() => this.#free(group))
      .catch((error: unknown) => {
        if (error instanceof Unanswered) return settle(error)
        throw error
      })
      .then(
        () => group.resolve(),
        (error: unknown) => group.reject(error),
      )
  }

  #free({ session }: Group): void {
    session.onEnded = undefined
    this.#pool.release(session)
    this.#turns.pass()
  }

  /** The connection has ended before COMMIT was sent, so the server rolls everything back. */
  #lose(group: Group): void {
    if (this.#open !== group) return
    this.#open = undefined
    group.isLost = true
    this.#pool.release(group.session)
    // Otherwise the change that has the turn has not entered it yet.
    if (group.isHeld) this.#turns.pass()
    group.reject(lost())
  }
}

/** The changes of one transaction. */
class Group {
  readonly session: PostgresSession
  isLost = false
  /** Whether a change is running. */
  isHeld = false
  readonly #ended: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] =
    []

  constructor(session: PostgresSession) {
    this.session = session
  }

  /** How many changes have ended. */
  get size(): number {
    return this.#ended.length
  }

  get isFirst(): boolean {
    return this.size === 0
  }

  async enter(): Promise<void> {
    this.isHeld = true
    if (!this.isFirst) await this.session.moveSavepoint(this.size > 1)
  }

  /** Ends the running change. Resolves when the transaction has committed. */
  leave(): Promise<void> {
    this.isHeld = false
    return new Promise((resolve, reject) => {
      this.#ended.push({ resolve, reject })
    })
  }

  resolve(): void {
    for (const { resolve } of this.#ended) resolve()
  }

  reject(error: unknown): void {
    for (const { reject } of this.#ended) reject(error)
  }
}

/** Lets one after another have the turn, in the order of asking. */
class Turns {
  readonly #maxMs: number
  #isTaken = false
  readonly #waiting = new Set<() => void>()

  constructor(maxMs: number) {
    this.#maxMs = maxMs
  }

  get isWanted(): boolean {
    return this.#waiting.size > 0
  }

  /** @throws {DatabaseUnreachable} */
  async take(): Promise<void> {
    if (!this.#isTaken) {
      this.#isTaken = true
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    const late = setTimeout(() => {
      this.#waiting.delete(resolve)
      reject(new DatabaseUnreachable(`the changes before it did not end within ${this.#maxMs} ms`))
    }, this.#maxMs)
    await promise.finally(() => clearTimeout(late))
  }

  pass(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#isTaken = false
      return
    }
    this.#waiting.delete(next)
    next()
  }
}

const lost = (): TransactionConflict =>
  new TransactionConflict('the connection ended before the transaction committed')
