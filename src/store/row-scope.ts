/** What the files of the tables need to read and write rows. @module */
import type { Kysely } from 'kysely'
import type { BoundRows } from './bound-rows.ts'
import type { Schema } from './schema/schema.ts'
import type { Change } from './change.ts'
import type { Tally } from './tally.ts'

export interface RowScope {
  /** The database, or one of its transactions. */
  readonly query: Kysely<Schema>
  readonly rows: BoundRows
  /** In a transaction: how much it has changed counts so far. */
  readonly tally?: Tally
}

export interface WriteScope extends RowScope {
  readonly tally: Tally
  /**
   * Records what the transaction changes. Its number is taken at the end. `rowVersion` is the version that
   * the row has now, or `noRow` after a deletion. It is left out for what has no version of its own.
   */
  readonly touch: (change: Omit<Change, 'seq'>, rowVersion?: number) => void
  /** Records that the transaction deletes materials, so that their bytes are scrubbed after it. */
  readonly deletesMaterial: () => void
}
