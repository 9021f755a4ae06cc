/** The rows of the audit journal's writers, with their last checkpoints. @module */
import { genesis, type AuditWriter } from '../../model/audit-writer.ts'
import type { RowScope } from '../row-scope.ts'
import { auditWriters } from '../schema/audit.ts'
import { saveRecord, tableReads } from './table-rows.ts'

/** The streams of every node, ordered by name. */
export async function listAllAuditWriters(scope: RowScope): Promise<readonly AuditWriter[]> {
  const found = await scope.query
    .selectFrom('audit_writers')
    .selectAll()
    .orderBy('stream')
    .execute()
  return tableReads(auditWriters, scope).acceptAll(found)
}

/** The streams that one node has on its volume, ordered by name. */
export async function listAuditWriters(
  scope: RowScope,
  nodeId: string | undefined,
): Promise<readonly AuditWriter[]> {
  const all = await listAllAuditWriters(scope)
  return all.filter((writer) => writer.nodeId === nodeId)
}

/**
 * Changes the stored members of a stream, or inserts the stream. Call it in a transaction, because
 * one caller moves the stream's start and another one its checkpoint.
 * @param nodeId the node that has the stream from now on
 */
export async function changeAuditWriter(
  scope: RowScope,
  nodeId: string | undefined,
  stream: string,
  changes: Partial<Pick<AuditWriter, 'first' | 'checkpoint'>>,
): Promise<void> {
  const known = await tableReads(auditWriters, scope).find({ stream })
  const owner = nodeId === undefined ? {} : { nodeId }
  await saveRecord(auditWriters, scope, { stream, first: genesis, ...known, ...owner, ...changes })
}
