import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from '../src/crypto/entropy.ts'
import { insiderOperation } from '../src/operations/trent/insider-operation.ts'
import { openCall, type PipelinePorts } from '../src/running-call.ts'
import { DatabaseFailed } from '../src/store/database.ts'
import type { RawRequest } from '../src/wire/request.ts'

const request: RawRequest = {
  listener: 'public',
  method: 'POST',
  target: '/',
  rawHeaders: [],
  body: Buffer.alloc(0),
  remoteAddress: '127.0.0.1',
  secure: false,
  signal: new AbortController().signal,
}

const change = insiderOperation<void>()({
  name: 'Change',
  door: 'test',
  input: {},
  readOnly: false,
  audit: [],
  throws: [],
  run: ({ commit }) => commit(() => Promise.resolve()),
})

/** A call whose change fails with `failure`, and the records that it leaves in the journal. */
async function recordsAfter(failure: Error): Promise<readonly string[]> {
  const records: string[] = []
  const ports = {
    random: systemRandom,
    clock: { now: () => 0, system: () => 0 },
    store: { change: () => Promise.reject(failure) },
    journal: {
      healthy: true,
      position: { stream: 'worker-0', segment: 1 },
      append(_eventId: string, record: string) {
        records.push(record)
        return Promise.resolve()
      },
    },
    identityUses: { note: () => undefined },
  } as unknown as PipelinePorts // what a call that fails at its commit works with
  const place = { accountId: '111122223333', region: 'us-west-2', partition: 'aws' }
  const caller = { kind: 'test', accountId: place.accountId, arn: 'arn', uniqueId: 'test' } as const
  const call = openCall({ operation: change, caller, place, request, requestId: 'id' }, ports)
  const resolved = { keys: new Map(), identities: { named: [], records: {} } }
  const run = () => change.run(call.forOperation({}, {}, resolved), {} as never)
  await assert.rejects(call.record(run), failure)
  return records
}

test('a change that was rolled back leaves the record of its failure', async () => {
  const [record, ...more] = await recordsAfter(new Error('rolled back'))
  assert.equal(more.length, 0)
  assert.match(record ?? '', /"errorCode":"KMSInternalException"/)
})

test('a change whose fate is not known leaves none: its outbox row has it, if it was made', async () => {
  assert.deepEqual(await recordsAfter(new DatabaseFailed('gone before it answered')), [])
})
