/** What becomes of a server whose worker cannot start, or dies; and of an address that is taken. @module */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { systemRandom } from '../../../src/crypto/entropy.ts'
import { parseConfig } from '../../../src/config.ts'
import { sharedMemory } from '../../../src/server/workers/memory.ts'
import { sentConfig } from '../../../src/server/workers/worker-config.ts'
import {
  createWorkers,
  WorkerFailed,
  type Workers,
  type WorkersStart,
} from '../../../src/server/workers/workers.ts'
import { startTestServer } from '../../harness.ts'
import { serve, temporaryFolder, trentEnded } from '../../start/serve-process.ts'

function created(t: TestContext, count: number): { workers: Workers; fatal: unknown[] } {
  const fatal: unknown[] = []
  const script = new URL('dying-worker.ts', import.meta.url)
  const workers = createWorkers(count, (error) => fatal.push(error), script)
  t.after(() => workers.close().catch(() => undefined))
  return { workers, fatal }
}

function startOf(usageTrackedSince: number): WorkersStart {
  const never = (): Promise<never> => new Promise(() => undefined)
  const deployment = { deploymentId: systemRandom.uuid(), domainKeys: [] }
  const config = sentConfig(parseConfig({ TRENT_WORKERS: '3' }))
  return {
    data: {
      config,
      deployment,
      memory: sharedMemory(),
      usageTrackedSince,
      restoredAt: 0,
      logRequests: false,
    },
    share: () => ({
      engine: 'sqlite',
      port: new MessageChannel().port1,
      epoch: new SharedArrayBuffer(16),
    }),
    answers: {
      serve: never,
      strike: never,
      turn: never,
      turnOver: never,
      settle: never,
      list: never,
      log: never,
    },
    noted: () => [],
  }
}

test('one worker is no thread', async (t) => {
  const { workers } = created(t, 1)
  await workers.start(startOf(1))
  assert.deepEqual([await workers.states(), await workers.figures()], [[], []])
  assert.equal(await workers.checkpoint(), 0)
})

test('a worker that cannot open ends the start, with its reason', async (t) => {
  const { workers } = created(t, 3)
  await assert.rejects(
    workers.start(startOf(1)),
    new WorkerFailed('a worker could not be started: its journal cannot be opened'),
  )
})

test('a worker that dies ends the process, and nobody waits for it', async (t) => {
  const { workers, fatal } = created(t, 3)
  await workers.start(startOf(0))
  const states = workers.states()
  await assert.rejects(workers.listen({ port: 0 }), /^Error: worker [12] ended$/)
  await assert.rejects(states, /^Error: worker [12] ended$/)
  assert.match(String(fatal[0]), /worker [12] ended/)
  assert.match(String((fatal[0] as Error).cause), /a bug/)
})

test('an address that another server has is not shared with it', async (t) => {
  const folder = temporaryFolder(t)
  const { port, child } = await serve(t, folder, { TRENT_WORKERS: '2' })
  const settings = {
    TRENT_LISTEN: `127.0.0.1:${port}`,
    TRENT_DATA_DIR: `${folder}/other`,
    TRENT_WORKERS: '2',
  }
  const { code, stderr } = await trentEnded(t, ['serve'], settings, folder)
  assert.deepEqual([code, stderr], [1, 'trent: the address of TRENT_LISTEN is in use\n'])
  child.kill('SIGTERM')
})

test('a count of workers that is none is told in one line', async (t) => {
  const folder = temporaryFolder(t)
  const { code, stderr } = await trentEnded(t, ['serve'], { TRENT_WORKERS: 'many' }, folder)
  const told = 'trent: TRENT_WORKERS must be a whole number from 1 to 16\n'
  assert.deepEqual([code, stderr], [1, told])
})

test('a given clock is refused with several workers', async () => {
  const time = { system: () => Date.now(), monotonic: () => performance.now() }
  await assert.rejects(
    startTestServer({ TRENT_WORKERS: '2' }, { time }),
    /works with one worker only/,
  )
})
