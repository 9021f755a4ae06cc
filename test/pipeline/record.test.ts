import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JournalFailed } from '../../src/audit/journal/journal.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { KmsError } from '../../src/errors.ts'
import type { RefusedUse } from '../../src/events/refused-uses.ts'
import { trentOperation } from '../../src/operations/trent/trent-operation.ts'
import { ourselves } from '../../src/model/party.ts'
import { createTurns } from '../../src/pipeline/turns.ts'
import { createIds, originOf } from '../../src/pipeline/call-facts.ts'
import { record as recordCall } from '../../src/pipeline/record.ts'
import { confirm, permit, run } from '../../src/pipeline/run.ts'
import { createRunner } from '../../src/pipeline/runner.ts'
import { StageList, StepFailed } from '../../src/pipeline/stage-list.ts'
import type { Decided, Permitted, Read } from '../../src/pipeline/stages.ts'
import { newWork } from '../../src/policy/work.ts'
import { DatabaseFailed } from '../../src/store/database.ts'
import { alwaysFresh, type Freshness } from '../../src/store/freshness.ts'
import type { RawRequest } from '../../src/wire/request.ts'
import { newKey } from '../store/records.ts'
import type { Operation } from '../../src/operations/contract/operation.ts'
import type { ResolvedNames } from '../../src/resolve/resolved.ts'
import type { PipelineDependencies } from '../../src/pipeline/dependencies.ts'

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
  const read: Read = {
    operation,
    caller,
    scope,
    request,
    requestId: 'id',
    startedAt: 0,
    route: undefined,
    target: { service: operation.service, operation: operation.name },
    origin: originOf(request),
    eventId: systemRandom.uuid(),
    idOf: createIds(systemRandom),
    work: newWork(),
    since: 0,
    identifyAgain: () => Promise.reject(new Error('identified again')),
    input: {},
    recipient: undefined,
    attempts: { number: 1, turns: 0, charged: false, made: false },
  }
  return {
    ...read,
    read,
    resolved,
    concerned: { resources: [], keyArns: {} },
    facts: { hold: () => true } as unknown as Decided['facts'], // all that a decision that holds is asked
    decision: { reasons: [], foreignActions: new Set(), brokenPolicies: [] },
    decidedAt: 0,
  }
}

const runnerOptions = {
  partyOf: () => ourselves,
  requestsMax: 64,
  msMax: 2,
  turnMsMax: 20,
  now: () => 0,
}
const neverAgain = (): Promise<never> => Promise.reject(new Error('decided again'))

/** What refuses the call behind the stages that run and record it; undefined if it is answered. */
async function refusalOf(
  list: StageList<Decided, Permitted, never, Decided>,
  decided: Decided,
  dependencies: PipelineDependencies,
): Promise<unknown> {
  const stages = list
    .stage((allowed) => run(allowed, dependencies, neverAgain))
    .stage((ran) => confirm(ran, dependencies))
    .settle((settled) => recordCall(settled, dependencies))
  const failure: unknown = await createRunner(
    stages,
    runnerOptions,
  )(decided).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (failure === undefined) return undefined
  assert.ok(failure instanceof StepFailed)
  return failure.cause
}

const permitted = (decided: Decided): Permitted => ({ ...decided, keys: {}, keyEvents: [] })

/** A call whose change fails with `failure`, and the records that it leaves in the journal. */
async function recordsAfter(failure: Error): Promise<readonly string[]> {
  const records: string[] = []
  const dependencies = {
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
  } as unknown as PipelineDependencies // what a call that fails at its commit works with
  const resolved = { keys: new Map(), identities: { named: [], records: {} } }
  const stages = new StageList<Decided, Decided>().stage(permitted)
  assert.equal(await refusalOf(stages, decidedOf(change, resolved), dependencies), failure)
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

test('a failure that no stage expects leaves the record of a failure too', async () => {
  const records: string[] = []
  const dependencies = {
    clock: { now: () => 0 },
    journal: {
      append(_eventId: string, record: string) {
        records.push(record)
        return Promise.resolve()
      },
    },
    identityUses: { note: () => undefined },
    refusedCalls: { hasOwnRecord: () => true },
  } as unknown as PipelineDependencies // what a call that fails between its steps works with
  const decided = decidedOf(change, { keys: new Map(), identities: { named: [], records: {} } })
  const failure = new Error('the database is gone')
  const stages = new StageList<Decided, Decided>().stage((): Permitted => {
    throw failure
  })
  assert.equal(await refusalOf(stages, decided, dependencies), failure)
  assert.equal(records.length, 1)
  assert.match(records[0] ?? '', /"errorCode":"KMSInternalException"/)
})

/** A use of a disabled key, by a journal that answers so: what is told of it, and when. */
async function toldOfRefusedUse(append: () => Promise<void>): Promise<readonly string[]> {
  const seen: string[] = []
  const dependencies = {
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
  } as unknown as PipelineDependencies // what a call that its key's state refuses works with
  const operation = { ...change, tracksUsage: 'Encrypt' as const }
  const record = { ...newKey('k'), rowVersion: 1, state: 'Disabled' as const }
  const use = { action: 'kms:Encrypt', from: 'KeyId', forms: 'any', crossAccount: false } as const
  const resolved = {
    keys: new Map([['key', { known: { record }, use: { ...use, states: ['Enabled'] } }]]),
    identities: { named: [], records: {} },
  } as unknown as ResolvedNames // as far as states are asked for
  const stages = new StageList<Decided, Decided>().stage((decided) => permit(decided, dependencies))
  const error = await refusalOf(stages, decidedOf(operation, resolved), dependencies)
  assert.ok(error instanceof Error)
  seen.push(`answered: ${error instanceof KmsError ? error.code : error.message}`)
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

/** A call that its client ends with `signal`, before it runs or while it `runs`. */
async function ended(
  signal: AbortSignal,
  runs: () => void = () => undefined,
  freshness: (records: readonly string[]) => Freshness = () => alwaysFresh,
): Promise<{
  readonly refusal: unknown
  readonly ran: number
  readonly records: readonly string[]
}> {
  const records: string[] = []
  let ran = 0
  const dependencies = {
    clock: { now: () => 0, system: () => 0 },
    random: systemRandom,
    store: { freshness: freshness(records) },
    journal: { append: async (_eventId: string, text: string) => void records.push(text) },
    identityUses: { note: () => undefined },
    refusedCalls: { hasOwnRecord: () => true },
  } as unknown as PipelineDependencies // what a call that changes nothing works with
  const look: Operation = {
    ...change,
    run: async () => {
      ran += 1
      runs()
    },
  }
  const decided = decidedOf(look, { keys: new Map(), identities: { named: [], records: {} } })
  const stages = new StageList<Decided, Decided>().stage(permitted)
  const refusal = await refusalOf(
    stages,
    { ...decided, request: { ...request, signal } },
    dependencies,
  )
  return { refusal, ran, records }
}

test('a call whose client has gone does not run, and leaves the record of a failure', async () => {
  const gone = new Error('gone')
  const { refusal, ran, records } = await ended(AbortSignal.abort(gone))
  assert.equal(refusal, gone)
  assert.equal(ran, 0)
  assert.match(records[0] ?? '', /"errorCode":"KMSInternalException"/)
})

test('a call whose client goes while it runs is finished, and leaves the record of what it did', async () => {
  const controller = new AbortController()
  const { refusal, ran, records } = await ended(controller.signal, () => controller.abort())
  assert.equal(refusal, undefined)
  assert.equal(ran, 1)
  assert.equal(records.length, 1)
  assert.doesNotMatch(records[0] ?? '', /errorCode/)
})

test('an answer that grew old while its record became durable is withheld, and recorded as that', async () => {
  const confirmed = { monotonic: 1, wall: 1 }
  const asked: unknown[] = []
  const { signal } = new AbortController()
  const { refusal, ran, records } = await ended(signal, undefined, (durable) => ({
    moment: () => confirmed,
    refusal(since) {
      asked.push(since)
      return durable.length === 0 ? undefined : 'too old'
    },
  }))
  assert.equal(ran, 1)
  assert.ok(refusal instanceof KmsError && refusal.code === 'KMSInternalException')
  assert.match(refusal.message, /the answer was withheld.*too old/)
  // The confirmation before the decision counts, not a later one.
  assert.deepEqual(asked, [confirmed])
  const [first, second] = records.map(
    (record) => JSON.parse(record) as Readonly<Record<string, unknown>>,
  )
  assert.equal(records.length, 2)
  assert.equal(first?.['errorCode'], undefined)
  assert.equal(second?.['errorCode'], 'KMSInternalException')
  assert.match(String(second?.['errorMessage']), /the answer was withheld/)
  assert.equal(first?.['requestID'], second?.['requestID'])
  assert.notEqual(first?.['eventID'], second?.['eventID'])
})
