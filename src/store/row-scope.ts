/** What the files of one table each work with. @module */
import type { Kysely } from 'kysely'
import type { BoundRows } from './bound-rows.ts'
import type { Schema } from './schema/schema.ts'
import type { Change } from './change.ts'
import type { Tally } from './tally.ts'

export interface RowScope {
  /** The database, or one transaction of it. */
  readonly query: Kysely<Schema>
  readonly rows: BoundRows
  /** Of a transaction: by how much it has changed counts so far. */
  readonly tally?: Tally
}

export interface WriteScope extends RowScope {
  readonly tally: Tally
  /** Notes what the transaction changes; its number comes at the end. */
  readonly touch: (change: Omit<Change, 'seq'>) => void
  /** Notes that the transaction deletes materials, whose bytes are to be scrubbed behind it. */
  readonly deletesMaterial: () => void
}
