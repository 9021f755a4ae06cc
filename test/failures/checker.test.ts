/** The checker of the failure tests, tested with mistakes that it must find. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import { seeded } from '../durability/seeded.ts'
import { readRecords } from '../../src/audit/journal/read-records.ts'
import { changeIdOf, changeNumberOf } from '../../src/model/change-number.ts'
import { startTestServer } from '../harness.ts'
import { Caller } from './caller.ts'
import { fromLines, toLine, type Entry } from './history.ts'
import { ImaginedDeployment, type Mistakes } from './imagined-deployment.ts'
import { cutMemory } from '../durability/cut-memory.ts'
import { judgeHistories, judgeRecords, readAgain } from './judge.ts'
import { explain, type Verdict } from './linearizable.ts'
import { startLoad } from './load.ts'
import { Memory } from './memory.ts'
import { stateRegister, thingRegister, valueRegister, type Register } from './registers.ts'

const boundMs = 100

/** What the checker finds in imagined nodes that make these mistakes. */
async function findingsOf(mistakes: Mistakes): Promise<readonly string[]> {
  const deployment = new ImaginedDeployment(mistakes)
  const memory = new Memory()
  const load = await startLoad(deployment, memory, { seed: 7, callers: 8, pauseMs: 1 })
  await sleep(1500)
  await load.stop()
  await sleep(boundMs)
  await readAgain(new Caller(deployment, memory, seeded(1)), boundMs)
  const { registers, undecided } = judgeHistories(memory, boundMs)
  assert.ok(registers > 20, String(registers))
  assert.deepEqual(undecided, [])
  return memory.findings
}

test('nodes without a mistake, and as stale as the bound allows, give no finding', async () => {
  assert.deepEqual(await findingsOf({}), [])
  assert.deepEqual(await findingsOf({ staleMs: boundMs - 20 }), [])
})

for (const [what, mistakes, expected] of [
  ['decides by a state older than the bound', { staleMs: 400 }, /no order explains key/],
  [
    'loses a change of a key',
    { forgets: ['DisableKey', 'EnableKey'] },
    /no order explains .* state/,
  ],
  ['loses a revoked grant', { forgets: ['RevokeGrant'] }, /no order explains .* grant/],
  ['loses a policy', { forgets: ['PutKeyPolicy'] }, /no order explains .* (policy|access)/],
  ['loses a tag', { forgets: ['TagResource'] }, /no order explains .* tag/],
  ['loses an alias', { forgets: ['CreateAlias', 'UpdateAlias'] }, /no order explains alias/],
  ['loses a policy of a user', { forgets: ['iam:PutUserPolicy'] }, /no order explains .* iam/],
  [
    'lets an access key work that is inactive',
    { forgets: ['iam:UpdateAccessKey'] },
    /no order explains accesskey/,
  ],
  [
    'lets an access key work that is deleted',
    { forgets: ['iam:DeleteAccessKey'] },
    /no order explains accesskey/,
  ],
  ['makes an access key twice', { repeats: ['iam:CreateAccessKey'] }, /made 2 keys/],
  ['lets a session outlive its role', { forgets: ['iam:DeleteRole'] }, /explains .* role:/],
  [
    'leaves a role the right that it has lost',
    { forgets: ['iam:DeleteRolePolicy'] },
    /explains .* right:/,
  ],
  [
    'lets a role be assumed that trusts somebody else',
    { forgets: ['iam:UpdateAssumeRolePolicy'] },
    /explains .* trust:/,
  ],
  ['makes a change that it refused', { denies: ['DisableKey'] }, /no order explains .* state/],
  ['makes a key twice', { repeats: ['CreateKey'] }, /one CreateKey made 2 keys/],
  [
    'makes a grant twice',
    { repeats: ['CreateGrant'] },
    /no order explains .* grant|was created 2 times/,
  ],
  ['rotates twice', { repeats: ['RotateKeyOnDemand'] }, /was rotated too often/],
  ['decrypts to other bytes', { garbles: true }, /opened to another plaintext/],
] as const) {
  test(`a deployment that ${what} is found out`, async () => {
    const findings = await findingsOf(mistakes)
    assert.ok(
      findings.some((each) => expected.test(each)),
      findings.slice(0, 5).join('\n'),
    )
  })
}

/** What the checker finds after the last changes were lost, and the loss was accepted. */
async function findingsAfterLoss(mistakes: Mistakes): Promise<readonly string[]> {
  const deployment = new ImaginedDeployment(mistakes)
  const before = new Memory()
  const load = await startLoad(deployment, before, { seed: 7, callers: 8, pauseMs: 1 })
  await sleep(1200)
  const position = { change: deployment.change, sealed: before.sealed.length }
  await sleep(2000)
  const log = deployment.rewind(position.change)
  await sleep(2 * boundMs)
  await load.stop()
  judgeHistories(before, boundMs)
  deployment.acceptLoss()
  const { memory: after } = cutMemory(before, log, position)
  const more = await startLoad(deployment, after, { seed: 8, callers: 8, pauseMs: 1 })
  await sleep(300)
  await more.stop()
  await sleep(boundMs)
  await readAgain(new Caller(deployment, after, seeded(1)), boundMs)
  judgeHistories(after, boundMs)
  return [...before.findings, ...after.findings]
}

test('a deployment that loses its last changes, and takes away again what they took, gives no finding', async () => {
  assert.deepEqual(await findingsAfterLoss({}), [])
})

for (const [what, mistakes, expected] of [
  ['goes on by what is left', { goesOn: true }, /no order explains/],
  ['loses more than the last ones', { losesMore: 60 }, /no order explains|is lost/],
  ['lets a revoked grant work again', { leaves: ['grant '] }, /no order explains .* grant/],
  ['enables a disabled key again', { leaves: ['state '] }, /no order explains .* state/],
  [
    'gives identities back what they have lost',
    { leaves: ['access key ', 'role of ', 'right of ', 'iam '] },
    /no order explains .* (accesskey|role|right|iam):/,
  ],
] as const) {
  test(`after changes were lost, a deployment that ${what} is found out`, async () => {
    const findings = await findingsAfterLoss(mistakes)
    assert.ok(
      findings.some((each) => expected.test(each)),
      findings.slice(0, 5).join('\n'),
    )
  })
}

type Short = readonly [
  does: string,
  value: string,
  begin: number,
  end: number,
  outcome?: Entry['outcome'],
]

function verdictOf(register: Register, entries: readonly Short[], bound = 0): Verdict['verdict'] {
  const history = entries.map(([does, value, begin, end, outcome = 'ok']) => ({
    register: 'one',
    does,
    value,
    begin,
    end,
    outcome,
  }))
  return explain(fromLines(history.map(toLine).join('')), register, bound).verdict
}

test('a read after a write must see it, unless the bound lets it be older', () => {
  const history: readonly Short[] = [
    ['write', 'a', 0, 10],
    ['write', 'b', 20, 30],
    ['read', 'a', 40, 50],
  ]
  assert.equal(verdictOf(valueRegister, history), 'impossible')
  assert.equal(verdictOf(valueRegister, history, 9), 'impossible')
  assert.equal(verdictOf(valueRegister, history, 11), 'explained')
})

test('reads side by side with a write may see either, and never go back', () => {
  const write: Short = ['write', 'b', 20, 60]
  const before: Short = ['write', 'a', 0, 10]
  assert.equal(
    verdictOf(valueRegister, [before, write, ['read', 'a', 25, 30], ['read', 'b', 35, 40]]),
    'explained',
  )
  assert.equal(
    verdictOf(valueRegister, [before, write, ['read', 'b', 25, 30], ['read', 'a', 35, 40]]),
    'impossible',
  )
})

test('a write of unknown outcome may happen late, never, and only once', () => {
  const writes: readonly Short[] = [
    ['write', 'a', 0, 10],
    ['write', 'b', 20, 30, 'unknown'],
  ]
  assert.equal(verdictOf(valueRegister, [...writes, ['read', 'a', 40, 50]]), 'explained')
  assert.equal(
    verdictOf(valueRegister, [...writes, ['read', 'a', 40, 50], ['read', 'b', 60, 70]]),
    'explained',
  )
  assert.equal(
    verdictOf(valueRegister, [...writes, ['read', 'b', 40, 50], ['read', 'a', 60, 70]]),
    'impossible',
  )
})

test('changes of the state of a key follow from the state before', () => {
  const scheduled: readonly Short[] = [['schedule', '', 0, 10]]
  assert.equal(verdictOf(stateRegister, [...scheduled, ['enable', '', 20, 30]]), 'impossible')
  assert.equal(
    verdictOf(stateRegister, [...scheduled, ['enable', '', 20, 30, 'refused']]),
    'explained',
  )
  assert.equal(
    verdictOf(stateRegister, [...scheduled, ['cancel', '', 20, 30], ['read', 'Disabled', 40, 50]]),
    'explained',
  )
})

test('something is created once, and removed once', () => {
  const created: Short = ['create', 'a', 0, 10]
  assert.equal(verdictOf(thingRegister, [created, ['create', 'b', 20, 30]]), 'impossible')
  assert.equal(verdictOf(thingRegister, [created, ['create', 'b', 20, 30, 'refused']]), 'explained')
  const removed: Short = ['delete', '', 20, 30]
  assert.equal(verdictOf(thingRegister, [created, removed, ['delete', '', 40, 50]]), 'impossible')
})

test('an answer without its record is found out, and a record of another answer', async () => {
  const server = await startTestServer()
  const { $metadata } = await server.client().send(new CreateKeyCommand({}))
  await server.stop('keep')
  const requestId = $metadata.requestId ?? ''
  const journal = `${server.directory}/journal`
  const judged = async (operation: string, id: string, error?: string): Promise<string> => {
    const memory = new Memory()
    memory.told.push({ operation, requestId: id, ...(error !== undefined && { error }) })
    assert.ok((await judgeRecords(memory, [journal])) > 0)
    return memory.findings.join('\n')
  }
  assert.equal(await judged('CreateKey', requestId), '')
  assert.match(await judged('CreateKey', 'none'), /was answered and has 0 records/)
  assert.match(await judged('Encrypt', requestId), /the record says CreateKey/)
  assert.match(await judged('CreateKey', requestId, 'DisabledException'), /the record says/)
  const memory = new Memory()
  await judgeRecords(memory, [journal, journal])
  assert.match(memory.findings.join('\n'), /the change \d+ has two records/)
})

test('records of lost changes must stay, and their numbers may be used again', async () => {
  const server = await startTestServer()
  await server.client().send(new CreateKeyCommand({}))
  await server.stop('keep')
  const journal = `${server.directory}/journal`
  const changes = new Map<string, number>()
  await readRecords(journal, (text) => {
    const record: unknown = JSON.parse(text)
    const change = changeNumberOf(record)
    if (change !== undefined) changes.set(changeIdOf(record) ?? '', change)
  })
  const kept = Math.max(...changes.values()) - 1
  const lost = new Map([...changes].filter(([, change]) => change > kept))
  const judged = async (ids: ReadonlyMap<string, number>): Promise<string> => {
    const memory = new Memory()
    await judgeRecords(memory, [journal, journal], { kept, ids })
    return memory.findings.filter((each) => !each.includes('the event')).join('\n')
  }
  const again = new RegExp(`the change ${kept + 1} has two records`)
  assert.doesNotMatch(await judged(lost), again)
  assert.match(await judged(new Map()), again)
  const gone = new Map([['an id', kept + 1]])
  assert.match(await judged(gone), /the lost change \d+ has no record any more/)
})
