import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { JournalFailed } from '../../src/audit/journal/journal.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { KmsError } from '../../src/errors.ts'
import { required, text } from '../../src/model/shape.ts'
import { operatorHeaders } from '../../src/operator/client.ts'
import type { Operation } from '../../src/operations/contract/operation.ts'
import { trentOperation } from '../../src/operations/trent/trent-operation.ts'
import type { PipelineDependencies } from '../../src/pipeline/dependencies.ts'
import { createPipeline } from '../../src/pipeline/pipeline.ts'
import { createTurns } from '../../src/pipeline/turns.ts'
import { alwaysFresh } from '../../src/store/freshness.ts'
import type { Change } from '../../src/store/change.ts'
import type { RawRequest } from '../../src/wire/request.ts'

const accountId = '111122223333'
const scope = { accountId, region: 'us-west-2', partition: 'aws' }
const caller = { kind: 'operator', accountId, arn: 'arn', uniqueId: 'operator' } as const
const keyId = '1234abcd-12ab-34cd-56ef-1234567890ab'
const secret = 'the answer itself'

const ok = trentOperation<{ readonly Secret: string }>()({
  name: 'Ok',
  door: 'operator',
  input: {},
  readOnly: true,
  audit: [],
  throws: [],
  permissions: () => [{ action: 'trent:Ok' }],
  run: () => ({ Secret: secret }),
})

const use = { from: 'KeyId', forms: 'key', action: 'trent:Use', crossAccount: false } as const
const given = { KeyId: required(text({ min: 1, max: 99 })) }
const refuse = (): never => {
  throw new KmsError('LimitExceededException', 'no')
}

/** One that fails at each stage, and the error that it is answered with; others succeed. */
const kinds: Readonly<
  Record<
    string,
    { readonly of: Partial<Operation>; readonly code?: string; readonly known?: false }
  >
> = {
  Ok: { of: {} },
  Later: { of: { run: () => nextTurn().then(() => ({ Secret: secret })) } },
  // A decision that does not hold any more when the operation has run is made again.
  Changes: { of: { run: () => ({ Secret: secret }) } },
  AtDoor: { of: { door: 'signed' }, code: 'UnknownOperationException', known: false },
  AtInput: { of: { input: given }, code: 'ValidationException' },
  AtCheck: { of: { check: refuse }, code: 'LimitExceededException' },
  AtResolve: {
    of: { input: given, keys: { key: { ...use, states: [] } } },
    code: 'NotFoundException',
  },
  AtQuota: { of: { service: 'kms' }, code: 'ThrottlingException' },
  AtAuthorize: {
    of: { permissions: () => [{ action: 'kms:ListKeys' }] },
    code: 'AccessDeniedException',
  },
  AtPermit: {
    of: { input: given, user: { from: 'KeyId', action: 'trent:Ok' } },
    code: 'NoSuchEntityException',
  },
  AtRun: { of: { run: refuse }, code: 'LimitExceededException' },
  AtRunLater: { of: { run: () => nextTurn().then(refuse) }, code: 'LimitExceededException' },
  ByBug: {
    of: {
      run: () => {
        throw new TypeError('a bug')
      },
    },
    code: 'KMSInternalException',
  },
}

/** A journal that makes each record durable, or fails to, when the test says so. */
function slowJournal() {
  const pending: { readonly requestId: string; readonly end: (failed: boolean) => void }[] = []
  const durable = new Set<string>()
  const failed = new Set<string>()
  const seen: string[] = []
  return {
    pending,
    durable,
    failed,
    seen,
    append(_eventId: string, record: string): Promise<void> {
      const { requestID: requestId } = JSON.parse(record) as { readonly requestID: string }
      seen.push(requestId)
      return new Promise((resolve, reject) => {
        const end = (fails: boolean): void => {
          ;(fails ? failed : durable).add(requestId)
          if (fails) reject(new JournalFailed('no segment'))
          else resolve()
        }
        pending.push({ requestId, end })
      })
    },
  }
}

function dependenciesWith(journal: ReturnType<typeof slowJournal>): PipelineDependencies {
  const registry = new Map(
    Object.entries(kinds).map(([name, { of }]) => [`trent:${name}`, { ...ok, name, ...of }]),
  )
  let epoch = 1
  const changes: readonly Change[] = [
    { seq: 2, kind: 'everything', accountId: '', region: '', id: '' },
  ]
  const store = {
    epoch: () => epoch,
    freshness: alwaysFresh,
    changesSince: async (seq: number) => (seq < 2 ? changes : []),
    findUserByName: async () => undefined,
  }
  const changing = registry.get('trent:Changes')
  assert.ok(changing)
  registry.set('trent:Changes', {
    ...changing,
    run: () => {
      epoch = 2
      return { Secret: secret }
    },
  })
  const account = { record: {}, serviceControl: [], resourceControl: [], bytes: 0 }
  return {
    registry,
    random: systemRandom,
    clock: { now: () => 0, system: () => 0 },
    internalCaller: () => [caller, scope],
    refusals: { note: () => undefined },
    recipientOf: () => undefined,
    lookup: { refresh: () => undefined, key: () => undefined, account: () => account },
    store,
    throttle: {
      admit: () => {
        throw new KmsError('ThrottlingException', 'too fast')
      },
    },
    faults: { strike: () => undefined },
    operations: { store, keyUsages: {}, principals: {} },
    journal,
    inTurn: createTurns(),
    identityUses: { note: () => undefined },
    keyUsages: { note: () => undefined },
    refusedCalls: { hasOwnRecord: () => true },
    meter: { answered: () => undefined, authorized: () => undefined },
    log: { warn: () => undefined, error: () => undefined, debug: () => undefined },
  } as unknown as PipelineDependencies // as far as these operations need it
}

function requestOf(name: string): RawRequest {
  return {
    listener: 'operator',
    peer: { uid: 1000 },
    method: 'POST',
    target: '/',
    rawHeaders: Object.entries(operatorHeaders(name)).flat(),
    body: Buffer.from(name === 'AtResolve' || name === 'AtPermit' ? `{"KeyId":"${keyId}"}` : '{}'),
    remoteAddress: '',
    secure: true,
    signal: new AbortController().signal,
  }
}

/** Numbers from 0 to 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test('nothing is answered before its record is durable, whatever becomes of the others in its turn', async (t) => {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 31)
  t.diagnostic(`TEST_SEED=${seed}`)
  const random = randomFrom(seed)
  const journal = slowJournal()
  const handle = createPipeline(dependenciesWith(journal))
  const names = Object.keys(kinds)
  const answered = new Map<string, number>()
  const calls = Array.from({ length: 600 }, async () => {
    const name = names[Math.floor(random() * names.length)] ?? ''
    for (let turns = Math.floor(random() * 6); turns > 0; turns -= 1) await nextTurn()
    const { status, body, headers } = await handle(requestOf(name))
    const requestId = headers['x-amzn-RequestId'] ?? ''
    const { durable, failed } = journal
    const { code, known = true } = kinds[name] ?? {}
    answered.set(name, (answered.get(name) ?? 0) + 1)
    const answer = body.toString()
    if (!known) {
      assert.ok(!journal.seen.includes(requestId), `${name} has a record`)
      assert.match(answer, new RegExp(`${code}"`))
      return
    }
    assert.ok(durable.has(requestId) || failed.has(requestId), `${name} was answered too early`)
    assert.equal(journal.seen.filter((id) => id === requestId).length, 1, `${name} has one record`)
    if (failed.has(requestId)) {
      assert.match(answer, /KMSInternalException"/, name)
      assert.doesNotMatch(answer, new RegExp(secret))
    } else if (code === undefined) {
      assert.equal(status, 200, `${name}: ${answer}`)
      assert.match(answer, new RegExp(secret))
    } else assert.match(answer, new RegExp(`${code}"`), name)
  })
  const over = new AbortController()
  const all = Promise.all(calls).finally(() => over.abort())
  while (!over.signal.aborted) {
    await nextTurn()
    // Some of the records that wait end in this turn, in any order.
    const { pending } = journal
    for (let count = Math.floor(random() * 12); count > 0 && pending.length > 0; count -= 1) {
      const [one] = pending.splice(Math.floor(random() * pending.length), 1)
      one?.end(random() < 0.2)
    }
  }
  await all
  assert.equal(journal.pending.length, 0)
  assert.deepEqual([...answered.keys()].toSorted(), names.toSorted())
})
