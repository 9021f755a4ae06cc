/** The rows of the audit journal's writers, with their last checkpoints. @module */
import { genesis, type AuditWriter } from '../../model/audit-writer.ts'
import type { RowScope } from '../row-scope.ts'
import type { AuditWritersTable } from '../schema/schema.ts'

/** Ordered by stream. */
export async function listAuditWriters({ query, rows }: RowScope): Promise<readonly AuditWriter[]> {
  const found = await query.selectFrom('audit_writers').selectAll().orderBy('stream').execute()
  return found.flatMap((row) => {
    const genuine = rows.genuine('audit_writers', [row.stream], row)
    return genuine === undefined ? [] : [writerOf(genuine)]
  })
}

/**
 * Changes the stored members of a stream, or inserts the stream. Call it in a transaction, because
 * one caller moves the stream's start and another one its checkpoint.
 */
export async function changeAuditWriter(
  { query, rows }: RowScope,
  stream: string,
  changes: Partial<Pick<AuditWriter, 'first' | 'checkpoint'>>,
): Promise<void> {
  const found = await query
    .selectFrom('audit_writers')
    .selectAll()
    .where('stream', '=', stream)
    .executeTakeFirst()
  const genuine = rows.genuine('audit_writers', [stream], found)
  const known = genuine === undefined ? { first: genesis } : writerOf(genuine)
  const { first, checkpoint }: Omit<AuditWriter, 'stream'> = { ...known, ...changes }
  const row = rows.seal('audit_writers', {
    stream,
    first_segment: first.segment,
    first_hash: first.hash,
    first_records: first.records,
    checkpoint: checkpoint?.text ?? null,
    signature: checkpoint?.signature ?? null,
  })
  await query
    .insertInto('audit_writers')
    .values(row)
    .onConflict((conflict) => conflict.column('stream').doUpdateSet(row))
    .execute()
}

function writerOf(row: AuditWritersTable): AuditWriter {
  const { checkpoint: text, signature } = row
  return {
    stream: row.stream,
    first: { segment: row.first_segment, hash: row.first_hash, records: row.first_records },
    ...(text !== null && signature !== null && { checkpoint: { text, signature } }),
  }
}
