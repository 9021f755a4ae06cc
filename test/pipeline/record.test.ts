import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JournalFailed } from '../../src/audit/journal/journal.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { KmsError } from '../../src/errors.ts'
import type { RefusedUse } from '../../src/events/refused-uses.ts'
import { trentOperation } from '../../src/operations/trent/trent-operation.ts'
import { createTurns } from '../../src/pipeline/turns.ts'
import { createIds, originOf } from '../../src/pipeline/call-facts.ts'
import { recordCall } from '../../src/pipeline/record.ts'
import { permit, run } from '../../src/pipeline/run.ts'
import type { Decided, Permitted } from '../../src/pipeline/stages.ts'
import { newWork } from '../../src/policy/work.ts'
import { DatabaseFailed } from '../../src/store/database.ts'
import type { RawRequest } from '../../src/wire/request.ts'
import { newKey } from '../store/records.ts'
import type { Operation } from '../../src/operations/contract/operation.ts'
import type { ResolvedNames } from '../../src/resolve/resolved.ts'
import type { PipelinePorts } from '../../src/pipeline/dependencies.ts'

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

const change = trentOperation<void>()({
  name: 'Change',
  door: 'test',
  input: {},
  readOnly: false,
  audit: [],
  throws: [],
  run: ({ commit }) => commit(() => Promise.resolve()),
})

/** A call of a test that is decided: every permission is given, and nothing has changed since. */
function decidedOf(operation: Operation, resolved: ResolvedNames): Decided {
  const scope = { accountId: '111122223333', region: 'us-west-2', partition: 'aws' }
  const caller = { kind: 'test', accountId: scope.accountId, arn: 'arn', uniqueId: 'test' } as const
  return {
    operation,
    caller,
    scope,
    request,
    requestId: 'id',
    origin: originOf(request),
    eventId: systemRandom.uuid(),
    idOf: createIds(systemRandom),
    work: newWork(),
    since: 0,
    identifyAgain: () => Promise.reject(new Error('identified again')),
    input: {},
    recipient: undefined,
    resolved,
    concerned: { resources: [], keyArns: {} },
    facts: { hold: () => true } as unknown as Decided['facts'], // all that a decision that holds is asked
    decision: { reasons: [], foreignActions: new Set(), brokenPolicies: [] },
    decidedAt: 0,
  }
}

/** A call whose change fails with `failure`, and the records that it leaves in the journal. */
async function recordsAfter(failure: Error): Promise<readonly string[]> {
  const records: string[] = []
  const ports = {
    random: systemRandom,
    clock: { now: () => 0, system: () => 0 },
    store: { change: () => Promise.reject(failure) },
    changesInTurn: createTurns(),
    journal: {
      healthy: true,
      position: { stream: 'worker-0', segment: 1 },
      append(_eventId: string, record: string) {
        records.push(record)
        return Promise.resolve()
      },
    },
    identityUses: { note: () => undefined },
    refusedCalls: { hasOwnRecord: () => true },
  } as unknown as PipelinePorts // what a call that fails at its commit works with
  const resolved = { keys: new Map(), identities: { named: [], records: {} } }
  const permitted: Permitted = { ...decidedOf(change, resolved), keys: {}, keyEvents: [] }
  await assert.rejects(recordCall(permitted, run(permitted, ports), ports), failure)
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

test('a failure outside every step leaves the record of a failure too', async () => {
  const records: string[] = []
  const ports = {
    clock: { now: () => 0 },
    journal: {
      append(_eventId: string, record: string) {
        records.push(record)
        return Promise.resolve()
      },
    },
    identityUses: { note: () => undefined },
    refusedCalls: { hasOwnRecord: () => true },
  } as unknown as PipelinePorts // what a call that fails between its steps works with
  const decided = decidedOf(change, { keys: new Map(), identities: { named: [], records: {} } })
  const failure = new Error('the database is gone')
  await assert.rejects(recordCall(decided, Promise.reject(failure), ports), failure)
  assert.equal(records.length, 1)
  assert.match(records[0] ?? '', /"errorCode":"KMSInternalException"/)
})

/** A use of a disabled key, by a journal that answers so: what is told of it, and when. */
async function toldOfRefusedUse(append: () => Promise<void>): Promise<readonly string[]> {
  const seen: string[] = []
  const ports = {
    random: systemRandom,
    clock: { now: () => 0, system: () => 0 },
    journal: {
      healthy: true,
      async append(_eventId: string, record: string) {
        await append()
        seen.push(`durable: ${String(JSON.parse(record).errorCode)}`)
      },
    },
    identityUses: { note: () => undefined },
    refusedCalls: { hasOwnRecord: () => true },
    meter: { refusedUse: () => undefined },
    refusedUses: {
      note: ({ key, record }: RefusedUse) =>
        seen.push(`told: ${key.state} ${String(JSON.parse(record).errorCode)}`),
    },
  } as unknown as PipelinePorts // what a call that its key's state refuses works with
  const operation = { ...change, tracksUsage: 'Encrypt' as const }
  const record = { ...newKey('k'), rowVersion: 1, state: 'Disabled' as const }
  const use = { action: 'kms:Encrypt', from: 'KeyId', forms: 'any', crossAccount: false } as const
  const resolved = {
    keys: new Map([['key', { known: { record }, use: { ...use, states: ['Enabled'] } }]]),
    identities: { named: [], records: {} },
  } as unknown as ResolvedNames // as far as states are asked for
  const answering = permit(decidedOf(operation, resolved), ports).then((permitted) =>
    run(permitted, ports),
  )
  await assert.rejects(
    recordCall(decidedOf(operation, resolved), answering, ports),
    (error: Error) =>
      seen.push(`answered: ${error instanceof KmsError ? error.code : error.message}`) > 0,
  )
  return seen
}

test('a refused use is told behind its record, and before the answer', async () => {
  assert.deepEqual(await toldOfRefusedUse(() => Promise.resolve()), [
    'durable: DisabledException',
    'told: Disabled DisabledException',
    'answered: DisabledException',
  ])
})

test('a refused use without a durable record is told to nobody', async () => {
  const failed = new JournalFailed('no segment')
  assert.deepEqual(await toldOfRefusedUse(() => Promise.reject(failed)), ['answered: no segment'])
})
