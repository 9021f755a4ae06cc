/** What a stopped server's data must say of the calls that it has answered. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { verifyJournal } from '../../src/audit/verify/verify.ts'
import { accountId, region, startTestServer } from '../harness.ts'
import type { Memory } from './load.ts'
import { assertOneStory, readStoredAndRecorded } from './stored-and-recorded.ts'

/**
 * Each call that was answered otherwise than by a failure of the server has one record, each change in the
 * store exactly one, and the journal is whole. Starts a server once more: it may have records to bring.
 */
export async function assertToldOnce(directory: string, { calls }: Memory): Promise<void> {
  await (await startTestServer({}, { directory })).stop('keep')
  const found = await readStoredAndRecorded(directory, accountId, region)
  assert.equal(found.outboxRows, 0)
  assertOneStory(found)
  const byRequest = Map.groupBy(found.records, ({ requestID }) => requestID)
  for (const { requestId, operation, errorName } of calls) {
    if (errorName === 'KMSInternalException') continue
    const told = byRequest.get(requestId) ?? []
    assert.deepEqual(
      told.map((record) => [record.eventName, record.errorCode]),
      [[operation, errorName]],
    )
  }
  const { whole, breaks } = await verifyJournal(join(directory, 'journal'))
  assert.deepEqual({ whole, breaks }, { whole: true, breaks: [] })
}
