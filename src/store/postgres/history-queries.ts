/** Reads what is compared with the changes that a node has applied. @module */
import type { SeenHistory } from '../history.ts'
import type { PostgresSession, Result } from './postgres-session.ts'
import { headOf, type SharedHead } from './shared-head.ts'

type Row = Result['rows'][number]

/** The columns of `logOf`. @param seq the parameter with the number that the node has applied */
export const logColumns = (seq: string): string =>
  `(SELECT change_id FROM change_log WHERE seq = ${seq} AND position = 0) AS id_there,
   (SELECT min(seq) FROM change_log) AS oldest`

export const logStatement = `SELECT ${logColumns('$1')}`

/** The columns of `headOf`, of one moment with those of the log. */
export const headColumns = `(SELECT seq FROM change_head WHERE id = 1) AS seq,
   (SELECT change_id FROM change_head WHERE id = 1) AS change_id`

export function logOf(row: Row | undefined): Omit<SeenHistory, 'head'> {
  const { id_there: idThere, oldest } = row ?? {}
  return {
    idThere: typeof idThere === 'string' ? idThere : undefined,
    oldest: typeof oldest === 'number' ? oldest : undefined,
  }
}

/**
 * Takes in the changes of all nodes.
 * @throws {ChangesRefused} if the database lacks a change that this node has applied
 */
export async function catchUp(session: PostgresSession, head: SharedHead): Promise<void> {
  const { known } = head
  const { rows } = await session.run(`SELECT ${headColumns}, ${logColumns('$1')}`, [known.seq])
  head.takeIn(known, { head: headOf(rows[0]), ...logOf(rows[0]) })
}
