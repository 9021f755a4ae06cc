/**
 * What a restored database says about files of the lost machine: the streams of its audit journal, and the
 * files that it had still to deliver.
 * @module
 */
import type { RowScope } from '../store/row-scope.ts'
import { deliveryCursors, deliveryFiles } from '../store/schema/audit.ts'
import { saveRecord, tableReads } from '../store/tables/table-rows.ts'

/**
 * The bytes of files that waited for delivery are gone, and a file without its bytes holds up all files
 * behind it. So their records are put into new files: a reader of the archive may find them twice.
 */
export async function deliverAgain(scope: RowScope): Promise<void> {
  const { query } = scope
  const found = await query
    .selectFrom('delivery_files')
    .selectAll()
    .where('delivered', '=', 0)
    .execute()
  await query.deleteFrom('delivery_files').where('delivered', '=', 0).execute()
  const cursors = tableReads(deliveryCursors, scope)
  for (const { file } of tableReads(deliveryFiles, scope).acceptAll(found)) {
    if (file.range === undefined) continue
    const { stream, segment, from: offset } = file.range
    const cursor = await cursors.find({ stream })
    const isBehind =
      cursor !== undefined &&
      (cursor.segment < segment || (cursor.segment === segment && cursor.offset <= offset))
    if (!isBehind) await saveRecord(deliveryCursors, scope, { stream, segment, offset })
  }
}

/**
 * Streams that this machine has no files of begin anew, under the same names: with the positions of the old
 * ones, new records would count as delivered and indexed, and the journal as cut.
 * @param here the streams that it has files of
 */
export async function beginStreamsAnew(
  { query }: Pick<RowScope, 'query'>,
  here: readonly string[],
): Promise<void> {
  for (const table of ['audit_writers', 'delivery_cursors', 'event_index_positions'] as const) {
    const all = await query.selectFrom(table).select('stream').execute()
    const gone = all.map(({ stream }) => stream).filter((stream) => !here.includes(stream))
    for (const stream of gone) {
      await query.deleteFrom(table).where('stream', '=', stream).execute()
    }
  }
}
