/** The sessions of one process: a limited number, handed out in the order of asking. @module */
import { setTimeout as sleep } from 'node:timers/promises'
import type { DatabaseAddress } from './database-url.ts'
import { DatabaseUnreachable } from './postgres-failure.ts'
import { openSession, type PostgresSession, type SessionSettings } from './postgres-session.ts'
import { DatabaseFailed } from '../database.ts'

export interface PoolSettings extends SessionSettings {
  readonly sessionsMax: number
  /** How long a caller waits for a free session. */
  readonly waitMaxMs: number
  /** How long a caller waits for a primary, within that. */
  readonly primaryMaxMs: number
  /** The age at which an idle session is closed, so that a new password or certificate is used. */
  readonly sessionAgeMaxMs: number
}

interface Waiting {
  readonly since: number
  readonly take: (session: PostgresSession) => void
  readonly reject: (error: Error) => void
}

/** Between two attempts to find a primary. */
const againMs = 200

export class Pool {
  readonly #open: () => Promise<PostgresSession>
  readonly #settings: PoolSettings
  readonly #openedAt = new Map<PostgresSession, number>()
  #idle: PostgresSession[] = []
  readonly #waiting = new Set<Waiting>()
  #opening = 0
  #isClosed = false

  constructor(address: DatabaseAddress, settings: PoolSettings) {
    this.#open = () => openSession(address, settings)
    this.#settings = settings
  }

  /**
   * @param since when the caller began to wait for what needs the session, on the monotonic clock
   * @throws {DatabaseUnreachable}
   */
  async acquire(since = performance.now()): Promise<PostgresSession> {
    if (this.#isClosed) throw closed()
    const session = this.#waiting.size === 0 ? this.#takeIdle() : undefined
    if (session !== undefined) return session
    const { waitMaxMs } = this.#settings
    const { promise, resolve, reject } = Promise.withResolvers<PostgresSession>()
    const caller = { take: resolve, reject, since }
    const late = setTimeout(() => {
      this.#waiting.delete(caller)
      reject(new DatabaseUnreachable(`no session was free within ${waitMaxMs} ms`))
    }, waitMaxMs)
    this.#waiting.add(caller)
    this.#serve()
    return await promise.finally(() => clearTimeout(late))
  }

  release(session: PostgresSession): void {
    // A session that broke shows that the others, which are idle, may be of a former primary.
    if (session.isEnded) for (const other of this.#idle.splice(0)) this.#forget(other)
    if (this.#isClosed || session.isOpen || !this.#isUsable(session)) this.#forget(session)
    else this.#idle.push(session)
    this.#serve()
  }

  /** Closes at once: open transactions are rolled back, and waiting callers are rejected. */
  close(): void {
    this.#isClosed = true
    for (const session of this.#openedAt.keys()) this.#forget(session)
    this.#idle = []
    for (const { reject } of this.#waiting) reject(closed())
    this.#waiting.clear()
  }

  figures(): { readonly open: number; readonly idle: number; readonly waiting: number } {
    const { size } = this.#openedAt
    return { open: size, idle: this.#idle.length, waiting: this.#waiting.size }
  }

  /** Gives an idle session, or a new one, to the caller that has waited longest. */
  #serve(): void {
    for (const caller of this.#waiting) {
      const session = this.#takeIdle()
      if (session === undefined) break
      this.#waiting.delete(caller)
      caller.take(session)
    }
    const { sessionsMax } = this.#settings
    while (
      this.#waiting.size > this.#opening &&
      this.#openedAt.size + this.#opening < sessionsMax
    ) {
      this.#opening += 1
      void this.#openOne()
    }
  }

  async #openOne(): Promise<void> {
    try {
      const session = await this.#open()
      this.#openedAt.set(session, performance.now())
      if (this.#isClosed) this.#forget(session)
      else this.#idle.push(session)
    } catch (error) {
      await this.#fail(error instanceof Error ? error : new Error(String(error)))
    } finally {
      this.#opening -= 1
      this.#serve()
    }
  }

  /** Answers the first caller, unless it still has time to wait for a primary. */
  async #fail(error: Error): Promise<void> {
    const [first] = this.#waiting
    if (first === undefined) return
    const waited = performance.now() - first.since
    if (error instanceof DatabaseUnreachable && waited + againMs < this.#settings.primaryMaxMs) {
      await sleep(againMs)
      return
    }
    // One failure answers one caller: the next one tries again.
    this.#waiting.delete(first)
    first.reject(error)
  }

  #takeIdle(): PostgresSession | undefined {
    for (let one = this.#idle.pop(); one !== undefined; one = this.#idle.pop()) {
      if (this.#isUsable(one)) return one
      this.#forget(one)
    }
    return undefined
  }

  #isUsable(session: PostgresSession): boolean {
    const age = performance.now() - (this.#openedAt.get(session) ?? 0)
    return !session.isEnded && age < this.#settings.sessionAgeMaxMs
  }

  #forget(session: PostgresSession): void {
    session.destroy()
    this.#openedAt.delete(session)
  }
}

const closed = (): DatabaseFailed => new DatabaseFailed('the database was closed')
