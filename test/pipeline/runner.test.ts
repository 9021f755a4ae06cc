import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'node:test'
import { ourselves } from '../../src/model/party.ts'
import { createRunner, type RunnerOptions } from '../../src/pipeline/runner.ts'
import { Again, StageList, StepFailed } from '../../src/pipeline/stage-list.ts'

interface Request {
  readonly name: string
  readonly accountId?: string
}

const options: RunnerOptions<Request> = {
  partyOf: ({ accountId = '' }) => ({ accountId, principalId: '' }),
  requestsMax: 64,
  msMax: 2,
  turnMsMax: 20,
  now: () => 0,
}

/** Three stages around a gate, each of which notes who passes it. */
function noting(seen: string[]) {
  const note = (stage: string) => (request: Request) => {
    seen.push(`${stage} ${request.name}`)
    return request
  }
  return new StageList<Request, Request>()
    .stage(note('read'))
    .waitForRoom()
    .stage(note('resolve'))
    .stage(note('run'))
}

const named = (...names: readonly string[]): Request[] => names.map((name) => ({ name }))

/** Stages that take a millisecond each, of the clock `now`, and note who passes them. */
function taking(seen: string[]) {
  let now = 0
  const slow = (stage: string) => (request: Request) => {
    now += 1
    seen.push(`${stage} ${request.name}`)
    return request
  }
  return { slow, now: () => now }
}

/** A promise that the test settles. */
function held<T>() {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  return { promise, resolve, reject }
}

test('all requests of a turn pass a stage before one of them enters the next', async () => {
  const seen: string[] = []
  const run = createRunner(noting(seen), options)
  const answers = await Promise.all(named('a', 'b').map((request) => run(request)))
  assert.deepEqual(answers, named('a', 'b'))
  assert.deepEqual(seen, ['read a', 'read b', 'resolve a', 'resolve b', 'run a', 'run b'])
})

test('a turn takes a number of requests, and those behind it run in the next turns', async () => {
  const seen: string[] = []
  const run = createRunner(noting(seen), { ...options, requestsMax: 2 })
  await Promise.all(named('a', 'b', 'c', 'd', 'e').map((request) => run(request)))
  assert.deepEqual(
    seen.filter((step) => step.startsWith('run')),
    ['run a', 'run b', 'run c', 'run d', 'run e'],
  )
  assert.ok(seen.indexOf('run b') < seen.indexOf('read c'))
  assert.ok(seen.indexOf('run d') < seen.indexOf('read e'))
})

test('timers and I/O get on between two turns', async () => {
  const turns: number[] = []
  let turn = 0
  const stages = new StageList<Request, Request>().waitForRoom().stage((request) => {
    turns.push(turn)
    return request
  })
  const run = createRunner(stages, { ...options, requestsMax: 1 })
  const runs = Promise.all(named('a', 'b', 'c').map((request) => run(request)))
  // A callback that is due ends a turn of the event loop.
  const count = (): NodeJS.Immediate => setImmediate(() => ((turn += 1), turn < 9 && count()))
  count()
  await runs
  assert.equal(new Set(turns).size, 3)
})

test('time bounds who enters, and whoever has entered finishes its turn', async () => {
  const seen: string[] = []
  const { slow, now } = taking(seen)
  const stages = new StageList<Request, Request>()
    .waitForRoom()
    .stage(slow('resolve'))
    .stage(slow('run'))
  const run = createRunner(stages, { ...options, now })
  await Promise.all(named('a', 'b', 'c').map((request) => run(request)))
  assert.deepEqual(seen, ['resolve a', 'resolve b', 'run a', 'run b', 'resolve c', 'run c'])
})

test('before the gate, requests that a turn has no time for go first in the next one', async () => {
  const seen: string[] = []
  const { slow, now } = taking(seen)
  const stages = new StageList<Request, Request>()
    .stage(slow('read'))
    .stage(slow('check'))
    .waitForRoom()
  const run = createRunner(stages, { ...options, now })
  await Promise.all(named('a', 'b', 'c').map((request) => run(request)))
  assert.deepEqual(seen, ['read a', 'read b', 'read c', 'check a', 'check b', 'check c'])
})

test('even when each step takes longer than a turn, every request gets on', async () => {
  const seen: string[] = []
  let now = 0
  const stages = noting(seen).stage((request) => request)
  const run = createRunner(stages, { ...options, now: () => (now += 10) })
  const names = Array.from({ length: 20 }, (_, index) => String(index))
  await Promise.all(named(...names).map((request) => run(request)))
  assert.equal(seen.filter((step) => step.startsWith('run')).length, 20)
})

test('a stage that throws fails its request alone, and the failure skips to the stage that settles it', async () => {
  const seen: string[] = []
  const boom = new Error('boom')
  const stages = noting(seen)
    .stage((request) => {
      if (request.name === 'b') throw boom
      return { ...request, ran: true }
    })
    .stage((ran) => {
      seen.push(`confirm ${ran.name}`)
      return ran
    })
    .settle((settled) => {
      if (!(settled instanceof StepFailed)) return `${settled.name} ran`
      assert.equal(settled.cause, boom)
      return `${settled.reached.name} failed`
    })
  const run = createRunner(stages, options)
  const answers = await Promise.all(named('a', 'b', 'c').map((request) => run(request)))
  assert.deepEqual(answers, ['a ran', 'b failed', 'c ran'])
  assert.deepEqual(seen.slice(-2), ['confirm a', 'confirm c'])
})

test('a failure may wait for a stage before the gate that settles it', async () => {
  const seen: string[] = []
  const stages = new StageList<Request, Request>()
    .stage<Request>(() => Promise.reject(new Error('no')))
    .settle(async (failed) => {
      await nextTurn()
      seen.push('settled')
      return failed instanceof StepFailed ? { name: 'mended' } : failed
    })
    .waitForRoom()
    .stage((request) => request)
  const run = createRunner(stages, options)
  assert.deepEqual(await run({ name: 'a' }), { name: 'mended' })
  assert.deepEqual(seen, ['settled'])
})

test('a stage names a later value than its input, and a failure that nobody settles rejects', async () => {
  const stages = new StageList<Request, Request>().waitForRoom().stage((request): Request => {
    throw new StepFailed({ ...request, name: 'later' }, 'why')
  })
  await assert.rejects(createRunner(stages, options)({ name: 'a' }), (error) => {
    assert.ok(error instanceof StepFailed)
    assert.deepEqual([error.reached, error.cause], [{ name: 'later' }, 'why'])
    return true
  })
})

for (const place of ['before', 'behind'] as const) {
  for (const end of ['resolves', 'rejects'] as const) {
    test(`a request that waits ${place} the gate leaves the turn, and goes on once its promise ${end}`, async () => {
      const seen: string[] = []
      const waiting = held<Request>()
      const wait = (request: Request) => (request.name === 'slow' ? waiting.promise : request)
      const first = new StageList<Request, Request>()
      const list =
        place === 'before' ? first.stage(wait).waitForRoom() : first.waitForRoom().stage(wait)
      const stages = list
        .stage((request) => {
          seen.push(request.name)
          return request
        })
        .settle((settled) => (settled instanceof StepFailed ? 'failed' : settled.name))
      const run = createRunner(stages, options)
      const slow = run({ name: 'slow' })
      assert.equal(await run({ name: 'fast' }), 'fast')
      assert.deepEqual(seen, ['fast'])
      if (end === 'resolves') waiting.resolve({ name: 'came' })
      else waiting.reject(new Error('gone'))
      assert.equal(await slow, end === 'resolves' ? 'came' : 'failed')
      assert.deepEqual(seen, end === 'resolves' ? ['fast', 'came'] : ['fast'])
    })
  }
}

for (const when of ['at once', 'later'] as const) {
  test(`a request that is sent back ${when} starts again at the gate, with its new value`, async () => {
    const seen: string[] = []
    const stages = new StageList<Request, Request>()
      .stage((request) => {
        seen.push(`read ${request.name}`)
        return request
      })
      .waitForRoom()
      .stage((request) => {
        seen.push(`resolve ${request.name}`)
        return request
      })
      .stage((request) => {
        if (request.name !== 'first') return request
        const again = new Again({ name: 'second' })
        return when === 'later' ? Promise.resolve(again) : again
      })
    assert.deepEqual(await createRunner(stages, options)({ name: 'first' }), { name: 'second' })
    assert.deepEqual(seen, ['read first', 'resolve first', 'resolve second'])
  })
}

test('the first stage behind the gate may send back too, and runs once in each turn', async () => {
  const passes: number[] = []
  const stages = new StageList<number, number>().waitForRoom().stage((left) => {
    passes.push(left)
    return left === 0 ? left : new Again(left - 1)
  })
  const run = createRunner(stages, { ...options, partyOf: () => ourselves })
  const done = run(3)
  const seen: number[] = []
  for (let turn = 0; turn < 5; turn += 1) {
    await nextTurn()
    seen.push(passes.length)
  }
  assert.equal(await done, 0)
  assert.deepEqual(seen.slice(0, 4), [1, 2, 3, 4])
})

test('one request of a connection is in a turn, and the next of it comes in the next turn', async () => {
  const seen: string[] = []
  const run = createRunner(noting(seen), options)
  const [one, other] = [{}, {}]
  await Promise.all([
    run({ name: 'a1' }, one),
    run({ name: 'a2' }, one),
    run({ name: 'b' }, other),
    run({ name: 'none' }),
    run({ name: 'nothing' }),
  ])
  const runs = seen.filter((step) => step.startsWith('run'))
  assert.deepEqual(runs, ['run a1', 'run b', 'run none', 'run nothing', 'run a2'])
  assert.ok(seen.indexOf('run nothing') < seen.indexOf('read a2'))
})

test('a connection is free again when its request has failed before the gate, at once or later', async () => {
  const stages = new StageList<Request, Request>()
    .stage((request) => {
      if (request.name === 'sync') throw new Error('no')
      return request.name === 'async' ? Promise.reject<Request>(new Error('no')) : request
    })
    .waitForRoom()
    .settle((settled) => (settled instanceof StepFailed ? 'failed' : settled.name))
  const run = createRunner(stages, options)
  const connection = {}
  const answers = ['sync', 'async', 'third'].map((name) => run({ name }, connection))
  assert.deepEqual(await Promise.all(answers), ['failed', 'failed', 'third'])
})

test('accounts take turns at the gate, so that a flood of one delays only itself', async () => {
  const seen: string[] = []
  const flood = Array.from({ length: 20 }, (_, index) => ({ name: `x${index}`, accountId: 'x' }))
  const run = createRunner(noting(seen), { ...options, now: () => 0, requestsMax: 64 })
  await Promise.all([...flood, { name: 'y', accountId: 'y' }].map((request) => run(request)))
  assert.deepEqual(seen.filter((step) => step.startsWith('resolve')).slice(0, 3), [
    'resolve x0',
    'resolve y',
    'resolve x1',
  ])
})

test('requests that keep arriving do not hold up those at the gate', async () => {
  let now = 0
  const stages = new StageList<Request, Request>()
    .stage((request) => {
      now += 5
      return request
    })
    .waitForRoom()
    .stage((request) => request)
  const run = createRunner(stages, { ...options, now: () => now })
  let finished = 0
  let arriving = 0
  const flood = (): void => {
    if (arriving >= 200 || finished > 0) return
    arriving += 2
    void run({ name: 'more' })
    void run({ name: 'more' })
    setImmediate(flood)
  }
  const first = run({ name: 'first' }).then(() => (finished = arriving))
  flood()
  await first
  assert.ok(finished < 10, `${finished} others arrived before the first was answered`)
})

test('a skipped or swapped stage does not compile', () => {
  const read = (text: string): { readonly length: number } => ({ length: text.length })
  const run = ({ length }: { readonly length: number }): boolean => length > 0
  const answer = (ran: boolean): string => String(ran)
  const list = new StageList<string, string>().stage(read).stage(run)
  assert.equal(list.stage(answer).stages.length, 3)
  // @ts-expect-error -- it takes what `run` returns
  assert.ok(new StageList<string, string>().stage(read).stage(answer))
  // @ts-expect-error -- it takes what `read` returns
  assert.ok(new StageList<boolean, boolean>().stage(run).stage(read))
})
