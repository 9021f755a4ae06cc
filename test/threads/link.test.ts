/** RPC between threads. @module */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { KmsError } from '../../src/errors.ts'
import { createLink, type Answers, type Link, type Questions } from '../../src/threads/link.ts'

type Asked = {
  readonly double: readonly [number, number]
  readonly fail: readonly ['known' | 'unknown', undefined]
  readonly wait: readonly [undefined, undefined]
}

function linked(t: TestContext, wait: Answers<Asked>['wait']): Link<Asked> {
  const { port1, port2 } = new MessageChannel()
  t.after(() => port1.close())
  createLink<Questions, Asked>(port2, {
    double: (given) => Promise.resolve(2 * given),
    async fail(how) {
      if (how === 'known') throw new KmsError('DisabledException', 'is disabled')
      throw new TypeError('no such thing')
    },
    wait,
  })
  return createLink<Asked, Questions>(port1, {})
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
  const link = linked(t, (_, signal) => {
    signal.addEventListener('abort', () => heard.resolve(undefined))
    return heard.promise
  })
  const controller = new AbortController()
  const asked = link.ask('wait', undefined, controller.signal)
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
