/**
 * One connection to the primary.
 *
 * INVARIANT (honest COMMIT): a transaction counts as committed only if the server answered COMMIT
 * in time, with the tag `COMMIT` and without a warning. After anything else the connection is
 * destroyed, and another session finds the outcome (`settle`).
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { QueryConfig, QueryResult } from 'pg'
import type { DatabaseAddress } from './database-url.ts'
import { connectToPrimary, type PrimaryConnection, type ConnectionLimits } from './find-primary.ts'
import { StatementFailed } from '../database.ts'
import { failureOf, isBroken, isStalePlan, messageOf, OutcomeUnknown } from './postgres-failure.ts'
import { toPostgres } from './postgres-values.ts'

export interface SessionSettings extends ConnectionLimits {
  readonly commitMaxMs: number
  /** Statements without parameters, sent together with BEGIN and with COMMIT. */
  readonly withBegin: string
  readonly withCommit: string
}

export interface Result {
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  readonly affected: number
}

/** The transaction that a session last began, by which its outcome can be found. */
export interface Mark {
  readonly sessionId: string
  readonly changeId: string
}

/** COMMIT has no answer that counts. */
export class Unanswered extends OutcomeUnknown {
  readonly mark: Mark

  constructor(mark: Mark, why: string) {
    super(`a COMMIT has an unknown outcome: ${why}`)
    this.mark = mark
  }
}

/** The most prepared statements of a session. */
const preparedMax = 256
/** The server's own limit ends a statement first, unless the server cannot be reached. */
const graceMs = 2000

/** @throws {DatabaseUnreachable} */
export async function openSession(
  address: DatabaseAddress,
  settings: SessionSettings,
): Promise<PostgresSession> {
  return new PostgresSession(await connectToPrimary(address, settings), settings)
}

export class PostgresSession {
  readonly #client: PrimaryConnection['client']
  readonly #socket: PrimaryConnection['socket']
  readonly #settings: SessionSettings
  readonly #id = randomBytes(16).toString('hex')
  readonly #names = new StatementNames()
  #changeId = ''
  #isOpen = false
  #isFailed = false
  #isGathering = false
  #isEnded = false
  /** How many warnings have come. Statements overlap, so none of them may take another one's away. */
  #warned = 0
  #lastWarning = ''
  /** Called when the session cannot be used any more, at once and not twice. */
  onEnded: (() => void) | undefined

  constructor({ client, socket }: PrimaryConnection, settings: SessionSettings) {
    this.#client = client
    this.#socket = socket
    this.#settings = settings
    client.on('error', () => this.destroy())
    client.on('end', () => this.destroy())
    client.on('notice', ({ code = '', message = '' }) => {
      if (!code.startsWith('01')) return
      this.#warned += 1
      this.#lastWarning = `${message} (${code})`
    })
  }

  /** Whether it cannot be used any more. Its connection is then closed. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Whether a transaction has begun and not ended. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether a statement of the open transaction has failed: the server refuses the next ones. */
  get isFailed(): boolean {
    return this.#isFailed
  }

  /** Has notifications of a channel told, until the session ends. */
  async listen(channel: string, onNotified: (payload: string) => void): Promise<void> {
    this.#client.on('notification', ({ channel: named, payload = '' }) => {
      if (named === channel) onNotified(payload)
    })
    await this.run(`LISTEN ${channel}`, [])
  }

  /** Closes the connection at once. The server rolls an open transaction back. */
  destroy(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#socket.destroy()
    this.onEnded?.()
  }

  async run(text: string, values: readonly unknown[]): Promise<Result> {
    const warned = this.#warned
    const stored = values.map(toPostgres)
    try {
      const [result] = await this.#sendPrepared(text, stored)
      if (this.#isOpen || this.#warned === warned) return resultOf(result)
    } catch (error) {
      throw failureOf(error, this.#isOpen)
    }
    // Outside a transaction, the statement's own COMMIT has warned.
    this.destroy()
    throw new OutcomeUnknown(`a statement has an unknown outcome: ${this.#lastWarning}`)
  }

  /** Returns the rows of the statement sent with BEGIN. */
  async begin(): Promise<Result> {
    this.#changeId = randomBytes(16).toString('hex')
    this.#isOpen = true
    this.#isFailed = false
    const { withBegin, statementMaxMs } = this.#settings
    try {
      const mark = markStatement(this.#mark)
      const results = await this.#send(`BEGIN; ${mark}; ${withBegin}`, statementMaxMs + graceMs)
      return resultOf(results.at(-1))
    } catch (error) {
      await this.rollback()
      throw failureOf(error, true)
    }
  }

  /**
   * Returns the rows of the statement sent with COMMIT.
   * @throws {Unanswered} with the mark by which to find the outcome
   */
  async commit(): Promise<Result> {
    const warned = this.#warned
    const { withCommit, commitMaxMs } = this.#settings
    let results: readonly QueryResult[]
    try {
      results = await this.#send(`${withCommit}; COMMIT`, commitMaxMs)
    } catch (error) {
      if (this.#isEnded) throw new Unanswered(this.#mark, messageOf(error))
      await this.rollback()
      throw failureOf(error, true)
    }
    this.#isOpen = false
    if (this.#warned !== warned) {
      this.destroy()
      throw new Unanswered(this.#mark, this.#lastWarning)
    }
    // A transaction in which a statement failed answers COMMIT with ROLLBACK.
    if (results.at(-1)?.command === 'COMMIT') return resultOf(results.at(-2))
    throw new StatementFailed('a statement of the transaction had failed: it was rolled back')
  }

  async rollback(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    // A transaction whose connection has ended is rolled back already.
    if (this.#isEnded) return
    await this.#send('ROLLBACK', this.#settings.statementMaxMs).catch(() => this.destroy())
  }

  /**
   * Sets the savepoint of the next change of the transaction. If that fails, the session ends:
   * what is undone later would be undone to the savepoint before it, and take another change with it.
   * @param isSet whether one is set: that of a change before, which has ended
   */
  async moveSavepoint(isSet: boolean): Promise<void> {
    const { statementMaxMs } = this.#settings
    const before = isSet ? 'RELEASE SAVEPOINT change; ' : ''
    await this.#send(`${before}SAVEPOINT change`, statementMaxMs + graceMs).catch((error) => {
      this.destroy()
      throw failureOf(error, true)
    })
  }

  /** Undoes what was done since the savepoint. If that fails, the session ends. */
  async rollbackToSavepoint(): Promise<void> {
    const { statementMaxMs } = this.#settings
    await this.#send('ROLLBACK TO SAVEPOINT change', statementMaxMs + graceMs).catch((error) => {
      this.destroy()
      throw failureOf(error, true)
    })
    this.#isFailed = false
  }

  get #mark(): Mark {
    return { sessionId: this.#id, changeId: this.#changeId }
  }

  async #sendPrepared(text: string, values: unknown[]): Promise<QueryResult[]> {
    const maxMs = this.#settings.statementMaxMs + graceMs
    try {
      return await this.#send({ ...this.#names.of(text), text, values }, maxMs)
    } catch (error) {
      if (!isStalePlan(error)) throw error
      this.#names.leaveOut(text)
      // The failure has ended an open transaction.
      if (this.#isOpen) throw error
      return await this.#send({ text, values }, maxMs)
    }
  }

  /** Lets what is sent at one moment leave together. */
  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    const { stream } = this.#client.connection
    stream.cork()
    process.nextTick(() => {
      this.#isGathering = false
      stream.uncork()
    })
  }

  /** Sends one query. A late answer ends the session. */
  async #send(query: string | QueryConfig, maxMs: number): Promise<QueryResult[]> {
    if (this.#isEnded) throw new Error('the connection is closed')
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.destroy()
    }, maxMs)
    this.#gather()
    try {
      // The driver answers several statements in one text with a list of results.
      const answer = (await this.#client.query(query)) as QueryResult | QueryResult[]
      return Array.isArray(answer) ? answer : [answer]
    } catch (error) {
      // Here, so that what is sent after it finds it so: answers come in the order of sending.
      this.#isFailed = this.#isOpen
      if (isBroken(error)) this.destroy()
      throw late ? new Error(`no answer within ${maxMs} ms`) : error
    } finally {
      clearTimeout(timer)
    }
  }
}

function resultOf(result: QueryResult | undefined): Result {
  return { rows: (result?.rows ?? []) as Result['rows'], affected: result?.rowCount ?? 0 }
}

/** Both ids are our own random hexadecimal digits. */
export function markStatement({ sessionId, changeId }: Mark): string {
  return (
    `INSERT INTO database_sessions (session_id, change_id) VALUES ('${sessionId}', '${changeId}') ` +
    `ON CONFLICT (session_id) DO UPDATE SET change_id = excluded.change_id, begun_at = now()`
  )
}

/**
 * Names the statements that come again, so that the server prepares each once. Those beyond the
 * limit are sent whole each time: the texts of inserts vary with their number of rows.
 */
class StatementNames {
  readonly #names = new Map<string, string | undefined>()

  of(text: string): { readonly name?: string } {
    if (!this.#names.has(text) && this.#names.size < preparedMax) {
      this.#names.set(text, `s${this.#names.size}`)
    }
    const name = this.#names.get(text)
    return name === undefined ? {} : { name }
  }

  /** Has the statement sent whole from now on. */
  leaveOut(text: string): void {
    this.#names.set(text, undefined)
  }
}
