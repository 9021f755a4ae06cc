/** The rows of the audit journal's writers, with their last checkpoints. @module */
import { genesis, type AuditWriter } from '../../model/audit-writer.ts'
import type { RowScope } from '../row-scope.ts'
import { auditWriters } from '../schema/audit.ts'
import { saveRecord, tableReads } from './table-rows.ts'

/** Ordered by stream. */
export async function listAuditWriters(scope: RowScope): Promise<readonly AuditWriter[]> {
  const found = await scope.query
    .selectFrom('audit_writers')
    .selectAll()
    .orderBy('stream')
    .execute()
  return tableReads(auditWriters, scope).acceptAll(found)
}

/**
 * Changes the stored members of a stream, or inserts the stream. Call it in a transaction, because
 * one caller moves the stream's start and another one its checkpoint.
 */
export async function changeAuditWriter(
  scope: RowScope,
  stream: string,
  changes: Partial<Pick<AuditWriter, 'first' | 'checkpoint'>>,
): Promise<void> {
  const known = await tableReads(auditWriters, scope).find({ stream })
  await saveRecord(auditWriters, scope, { stream, first: genesis, ...known, ...changes })
}
