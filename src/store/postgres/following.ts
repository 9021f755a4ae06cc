/**
 * How a node follows the others: it confirms again and again that it knows the latest changes, and listens
 * for changes in between. One session does both, so a confirmation on a new primary listens there too.
 *
 * INVARIANT (a confirmation commits a write): a primary that was deposed still answers reads. A commit that
 * needs a synchronous standby hangs there.
 * @module
 */
import { ChangesRefused } from '../database.ts'
import type { Row } from '../schema/schema.ts'
import type { DatabaseAddress } from './database-url.ts'
import { catchUp, headColumns, logColumns, logOf } from './history-queries.ts'
import { systemMoment } from './moment.ts'
import { changesChannel } from './notifier.ts'
import { onceMore } from './once-more.ts'
import { openSession, type PostgresSession, type SessionSettings } from './postgres-session.ts'
import { readReplication, replicationColumns } from './replication.ts'
import {
  headOf,
  notSynchronous,
  type HeadRules,
  type Replication,
  type SharedHead,
} from './shared-head.ts'

export interface Following {
  /**
   * Commits the node's row, and takes in the changes of all nodes. Call it once at a time.
   * @param row makes the row, sealed, from the last change that the node knows
   * @throws {ChangesRefused} if the database lacks a change that this node has applied
   * @throws {RowGone} if the row of the node is not there as it was
   */
  readonly confirm: (
    row: (known: { seq: number; changeId: string }) => Row<'nodes'>,
  ) => Promise<Confirmed>
  readonly replication: () => Replication
  /** Has the messages of a channel told. A message may be lost. */
  readonly hear: (channel: string, onMessage: OnMessage) => void
  /** Sends a message to all nodes that hear the channel, this one too. */
  readonly tell: (channel: string, payload: string) => Promise<void>
  readonly close: () => void
}

export interface Confirmed {
  readonly replication: Replication
  /** Milliseconds since the epoch, on the database's clock. */
  readonly databaseTime: number
}

/** The row of a node was changed by somebody else, or removed. */
export class RowGone extends Error {}

/** A node that did not confirm for this long does not count as one that waits for notifications. */
const othersMs = 60_000

export function openFollowing(
  address: DatabaseAddress,
  head: SharedHead,
  { freshnessMs, requireSynchronous }: HeadRules,
): Following {
  const limits = limitsOf(freshnessMs)
  const listener = openListener(address, limits)
  const onNotified = onceMore(async () => {
    const session = listener.current()
    if (session !== undefined) await catchUp(session, head)
  })
  listener.hear(changesChannel, onNotified)
  const look = lookAtReplication(address, limits, head)
  return {
    async confirm(rowOf) {
      const one = await listener.session()
      const moment = systemMoment()
      const { known } = head
      const row = rowOf(known)
      const { rows } = await one.run(confirmStatement, valuesOf(row)).catch((error: unknown) => {
        if (one.isEnded) look()
        throw error
      })
      const [found] = rows
      if (found === undefined) throw new RowGone('the row of this node has changed')
      head.takeIn(known, { head: headOf(found), ...logOf(found) })
      const replication = readReplication(found)
      if (requireSynchronous && replication !== 'synchronous') {
        head.see(replication)
        throw new ChangesRefused(notSynchronous(replication))
      }
      head.confirm(moment, replication, Number(found['others']))
      return { replication, databaseTime: Number(found['database_time']) }
    },
    replication: () => head.replication,
    hear: listener.hear,
    async tell(channel, payload) {
      await (await listener.session()).run('SELECT pg_notify($1, $2)', [channel, payload])
    },
    close: listener.close,
  }
}

/** While commits wait for a standby, no confirmation tells the state of replication. A read does. */
function lookAtReplication(
  address: DatabaseAddress,
  limits: SessionSettings,
  head: SharedHead,
): () => void {
  return onceMore(async () => {
    const confirmed = head.moment()?.monotonic
    const session = await openSession(address, limits)
    try {
      const { rows } = await session.run(`SELECT ${replicationColumns}`, [])
      // A confirmation that came meanwhile knows better.
      if (rows[0] !== undefined && head.moment()?.monotonic === confirmed) {
        head.see(readReplication(rows[0]))
      }
    } finally {
      session.destroy()
    }
  })
}

/** A confirmation that takes longer than half of the bound is tried again. */
function limitsOf(freshnessMs: number): SessionSettings {
  const maxMs = Math.max(500, Math.floor(freshnessMs / 2))
  return {
    connectMaxMs: maxMs,
    statementMaxMs: maxMs,
    lockMaxMs: maxMs,
    leaseMs: maxMs,
    commitMaxMs: maxMs,
    withBegin: '',
    withCommit: '',
  }
}

type OnMessage = (payload: string) => void

interface Listener {
  /** Opens a session if there is none. A confirmation and messages that need one at once share it. */
  readonly session: () => Promise<PostgresSession>
  readonly current: () => PostgresSession | undefined
  readonly hear: Following['hear']
  readonly close: () => void
}

/** One session at a time: a second one would hear each message once more. */
function openListener(address: DatabaseAddress, limits: SessionSettings): Listener {
  const heard = new Map<string, OnMessage>()
  let session: PostgresSession | undefined
  let opening: Promise<PostgresSession> | undefined
  let isClosed = false
  const open = async (): Promise<PostgresSession> => {
    const opened = await openSession(address, limits)
    try {
      // Channels that are added meanwhile count too.
      for (const [channel, onMessage] of heard) await opened.listen(channel, onMessage)
    } catch (error) {
      opened.destroy()
      throw error
    }
    if (isClosed) opened.destroy()
    session = opened
    return opened
  }
  return {
    async session() {
      if (session?.isEnded === false) return session
      session = undefined
      opening ??= open().finally(() => {
        opening = undefined
      })
      return await opening
    },
    current: () => session,
    hear(channel, onMessage) {
      heard.set(channel, onMessage)
      const one = session
      // Without it, messages are lost until a confirmation opens another session.
      one?.listen(channel, onMessage).catch(() => one.destroy())
    },
    close() {
      isClosed = true
      session?.destroy()
    },
  }
}

/** One statement, so that its commit is the write's, and what it reads is of one moment. */
const confirmStatement = `UPDATE nodes SET confirmed_at = $1, reached_at = $2, clock_offset = $3,
   applied_seq = $4, applied_id = $5, positions = $6, row_tag = $7,
   oldest_key = $11, known_key = $12, current_key = $13
 WHERE node_id = $8 AND row_version = $9
 RETURNING ${headColumns}, ${logColumns('$4')}, ${replicationColumns},
   (SELECT count(*) FROM nodes o WHERE o.node_id <> $8 AND o.confirmed_at > $10) AS others,
   floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS database_time`

const valuesOf = (row: Row<'nodes'>): readonly unknown[] => [
  row.confirmed_at,
  row.reached_at,
  row.clock_offset,
  row.applied_seq,
  row.applied_id,
  row.positions,
  row.row_tag,
  row.node_id,
  row.row_version,
  row.confirmed_at - othersMs,
  row.oldest_key,
  row.known_key,
  row.current_key,
]
