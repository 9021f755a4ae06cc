import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'node:test'
import { createRunner, type RunnerOptions } from '../../src/pipeline/runner.ts'
import { StageList } from '../../src/pipeline/stage-list.ts'

interface Request {
  readonly name: string
  readonly accountId?: string
}

const options: Omit<RunnerOptions<Request>, 'now'> = {
  partyOf: ({ accountId = '' }) => ({ accountId, principalId: '' }),
  requestsMax: 64,
  msMax: 2,
  turnMsMax: 20,
}

test('a flood of slow requests does not make every turn long for the others', async () => {
  let now = 0
  const turns: number[] = []
  const stages = new StageList<Request, Request>()
    .waitForRoom()
    .stage((request) => request) // costs nothing, so the time at the gate does not bound a turn
    .stage((request) => {
      if (request.accountId === 'slow') now += 20
      return request
    })
  const run = createRunner(stages, { ...options, now: () => now })
  const over = new AbortController()
  const flood = async (): Promise<void> => {
    while (!over.signal.aborted) await run({ name: 'slow', accountId: 'slow' })
  }
  const clients = Promise.all(Array.from({ length: 64 }, flood))
  for (let asked = 0; asked < 10; asked += 1) {
    const before = now
    await run({ name: 'quick', accountId: 'quick' })
    turns.push(now - before)
  }
  over.abort()
  await clients
  // It takes a few turns to learn that these requests are slow.
  const [learning = 0] = turns
  assert.ok(learning > 20, `${learning} ms`)
  assert.ok(Math.max(...turns.slice(3)) <= 60, turns.join(' '))
})

test('what requests take that had waited does not keep others from entering', async () => {
  let now = 0
  let steps = ''
  const answered = Promise.withResolvers<void>()
  const stages = new StageList<Request, Request>()
    .waitForRoom()
    .stage((request) => {
      if (request.name === 'new') steps += 'i'
      return request
    })
    .stage((request) => (request.name === 'new' ? request : answered.promise.then(() => request)))
    .stage((request) => {
      if (request.name === 'new') steps += 'o'
      else now += 1
      return request
    })
  const run = createRunner(stages, { ...options, now: () => now })
  const many = (count: number, name: string) =>
    Promise.all(Array.from({ length: count }, () => run({ name })))
  const waiting = many(64, 'waiting')
  await nextTurn()
  answered.resolve()
  await Promise.all([waiting, many(192, 'new')])
  const turns = steps.match(/i+/g)?.map(({ length }) => length)
  assert.deepEqual(turns, [64, 64, 64])
})
