/** Threads: when they start, how they end, and who hears of it. @module */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { createThread, ThreadEnded, type Thread } from '../../src/threads/thread.ts'
import type { Asked, AskedBack } from './echoing-thread.ts'

const program = new URL('echoing-thread.ts', import.meta.url)

function started(
  t: TestContext,
  onEnd: (error: Error) => void = () => assert.fail('it ended'),
): Thread<Asked> {
  const thread = createThread<Asked, AskedBack>({
    program,
    name: 'echo',
    data: 'given',
    answers: { more: (given) => given + 1 },
    onEnd,
  })
  t.after(() => thread.end())
  return thread
}

test('a thread receives its data, answers, and asks back', async (t) => {
  const thread = started(t)
  assert.equal(await thread.ask('data', undefined), 'given')
  assert.deepEqual(await Promise.all([thread.ask('back', 1), thread.ask('back', 5)]), [2, 6])
})

test('a thread that dies fails what is asked, and says so once with its error', async (t) => {
  const ends: Error[] = []
  const thread = started(t, (error) => ends.push(error))
  const hanging = thread.ask('hang', undefined)
  const asked = [hanging, thread.ask('die', undefined)]
  for (const result of await Promise.allSettled(asked)) {
    assert.ok(result.status === 'rejected' && result.reason instanceof ThreadEnded)
    assert.equal(result.reason.message, 'echo ended')
  }
  await assert.rejects(thread.ask('data', undefined), ThreadEnded)
  await thread.end()
  assert.equal(ends.length, 1)
  assert.match(String(ends[0]?.cause), /a bug/)
})

test('a thread that is ended fails what is asked, and nobody is told', async (t) => {
  const thread = started(t)
  await thread.ask('data', undefined)
  const hanging = assert.rejects(thread.ask('hang', undefined), ThreadEnded)
  await thread.end()
  await hanging
  await assert.rejects(thread.ask('data', undefined), /echo is closed/)
})

test('a thread that was never asked was never started, and its ports are closed', async () => {
  const { port1, port2 } = new MessageChannel()
  const closed = new Promise((resolve) => port2.once('close', resolve))
  const missing = new URL('no-such-thread.ts', import.meta.url)
  const thread = createThread<Asked>({
    program: missing,
    name: 'echo',
    data: port1,
    transfer: [port1],
    onEnd: () => assert.fail('it was started'),
  })
  await thread.end()
  await closed
})
