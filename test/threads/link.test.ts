/** RPC between threads. @module */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { KmsError } from '../../src/errors.ts'
import {
  createLink,
  Moved,
  type Answers,
  type Link,
  type NoQuestions,
} from '../../src/threads/link.ts'

type Asked = {
  readonly double: readonly [number, number]
  readonly fail: readonly ['known' | 'unknown', undefined]
  readonly wait: readonly [undefined, undefined]
  readonly first: readonly [Uint8Array<ArrayBuffer>, Uint8Array]
  readonly unsent: readonly [unknown, () => number]
}

function linked(t: TestContext, wait: Answers<Asked>['wait']): Link<Asked> {
  const { port1, port2 } = new MessageChannel()
  t.after(() => port1.close())
  createLink<NoQuestions, Asked>(port2, () => ({
    double: (given) => 2 * given,
    async fail(how) {
      if (how === 'known') throw new KmsError('DisabledException', 'is disabled')
      throw new TypeError('no such thing')
    },
    wait,
    first: (bytes) => new Moved(bytes.subarray(0, 1), [bytes.buffer]),
    unsent: () => () => 1,
  }))
  return createLink<Asked>(port1, () => ({}))
}

const forever: Answers<Asked>['wait'] = () => new Promise(() => undefined)

test('each question has its own answer', async (t) => {
  const link = linked(t, forever)
  const asked = [1, 2, 3].map((given) => link.ask('double', given))
  assert.deepEqual(await Promise.all(asked), [2, 4, 6])
})

test('a failure is thrown in the asking thread, and a KmsError stays one', async (t) => {
  const link = linked(t, forever)
  await assert.rejects(
    link.ask('fail', 'known'),
    (error) => error instanceof KmsError && error.code === 'DisabledException',
  )
  await assert.rejects(link.ask('fail', 'unknown'), { name: 'Error', message: 'no such thing' })
})

test('an aborted question rejects at once, and aborts the work on the other side', async (t) => {
  const heard = Promise.withResolvers<undefined>()
  const link = linked(t, (_, { signal }) => {
    signal.addEventListener('abort', () => heard.resolve(undefined))
    return heard.promise
  })
  const controller = new AbortController()
  const asked = link.ask('wait', undefined, { signal: controller.signal })
  controller.abort(new Error('gone'))
  await assert.rejects(asked, /gone/)
  await heard.promise
})

test('when the other side is gone, every question is rejected', async (t) => {
  const link = linked(t, forever)
  const asked = link.ask('wait', undefined)
  link.end(new Error('it ended'))
  await assert.rejects(asked, /it ended/)
  await assert.rejects(link.ask('double', 1), /it ended/)
})

test('questions of one turn travel together, and are answered together', async (t) => {
  const { port1, port2 } = new MessageChannel()
  t.after(() => port1.close())
  const messages: unknown[] = []
  port1.on('message', (message) => messages.push(message))
  const link = createLink<Asked>(port2, () => ({}))
  const asked = Promise.all([link.ask('double', 1), link.ask('double', 2)])
  while (messages.length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(messages, [
    [
      { kind: 'question', id: 1, name: 'double', given: 1 },
      { kind: 'question', id: 2, name: 'double', given: 2 },
    ],
  ])
  link.end(new Error('enough'))
  await assert.rejects(asked, /enough/)
})

test('what cannot be cloned fails its own question only, on either side', async (t) => {
  const link = linked(t, forever)
  const results = await Promise.allSettled([
    link.ask('double', 1),
    link.ask('unsent', () => 0),
    link.ask('unsent', 0),
    link.ask('double', 2),
  ])
  assert.deepEqual(
    results.map((result) => (result.status === 'fulfilled' ? result.value : 'failed')),
    [2, 'failed', 'failed', 4],
  )
  for (const result of results) {
    if (result.status === 'rejected') assert.match(String(result.reason), /could not be cloned/)
  }
})

test('moved memory is empty where it was, and order is kept', async (t) => {
  const link = linked(t, forever)
  const bytes = new Uint8Array([7, 8])
  const doubled = link.ask('double', 4)
  const first = link.ask('first', bytes, { transfer: [bytes.buffer] })
  assert.equal(bytes.length, 0)
  assert.deepEqual([await doubled, await first], [8, new Uint8Array([7])])
})
