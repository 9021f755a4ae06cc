/** When jobs run, and what a failure or a close does to them. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createJobs, type Job } from '../../src/jobs/jobs.ts'

const never = 2 ** 30

function opened(jobs: readonly Job[], periodMs = never) {
  const errors: string[] = []
  let now = 1000
  const running = createJobs({
    jobs,
    clock: { now: () => now },
    onError: (job, error) => errors.push(`${job}: ${String(error)}`),
    periodMs,
  })
  return { running, errors, move: (to: number) => (now = to) }
}

test('a job runs batch after batch until it says that nothing is left', async () => {
  let left = 3
  const seen: number[] = []
  const job: Job = {
    name: 'delete',
    run: async (now) => {
      seen.push(now)
      left -= 1
      return left > 0
    },
  }
  const { running } = opened([job])
  await running.runDue()
  assert.deepEqual(seen, [1000, 1000, 1000])
  await running.close()
})

test('a failed job is reported and retried, and other jobs still run', async () => {
  let tries = 0
  let others = 0
  const { running, errors } = opened([
    {
      name: 'rotate',
      run: async () => {
        tries += 1
        throw new Error(`no ${tries}`)
      },
    },
    {
      name: 'expire',
      run: async () => {
        others += 1
        return false
      },
    },
  ])
  await running.runDue()
  await running.runDue()
  assert.deepEqual(errors, ['rotate: Error: no 1', 'rotate: Error: no 2'])
  assert.equal(others, 2)
  await running.close()
})

test('a call while jobs run waits for a round that begins after it', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<undefined>()
  const seen: number[] = []
  const job: Job = {
    name: 'delete',
    run: async (now) => {
      seen.push(now)
      if (seen.length === 1) await gate
      return false
    },
  }
  const { running, move } = opened([job])
  const first = running.runDue()
  move(2000)
  const [second, third] = [running.runDue(), running.runDue()]
  open(undefined)
  await Promise.all([first, second, third])
  assert.deepEqual(seen, [1000, 2000])
  await running.close()
})

test('jobs run periodically', async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const { running } = opened([{ name: 'expire', run: async () => (resolve(undefined), false) }], 1)
  await promise
  await running.close()
})

test('a close aborts the current batch, waits for it, and starts nothing more', async () => {
  let ended = false
  let runs = 0
  const job: Job = {
    name: 'delete',
    run: (_now, signal) =>
      new Promise((resolve) => {
        runs += 1
        signal.addEventListener('abort', () => {
          ended = true
          resolve(true)
        })
      }),
  }
  const { running } = opened([job])
  const asked = [running.runDue(), running.runDue()]
  await running.close()
  assert.equal(ended, true)
  await Promise.all(asked)
  await running.runDue()
  assert.equal(runs, 1)
})
