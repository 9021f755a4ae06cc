/** A server whose root key is not open yet: it lives, says what it waits for, and then serves. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ListKeysCommand } from '@aws-sdk/client-kms'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { callOperator } from '../../src/operator/client.ts'
import { fileSeal } from '../../src/seals/file.ts'
import type { Seal } from '../../src/seals/seal.ts'
import { databaseUrlOf, startTestServer } from '../harness.ts'
import { recordsOf } from './records.ts'
import { answerOf, makeKey } from './sdk.ts'
import { callByHand } from './signed-http.ts'

async function get(url: string): Promise<readonly [number, unknown]> {
  const answer = await fetch(url)
  return [answer.status, await answer.json()]
}

const notReady = 'the server is not ready: its root key is not open'
const waiting = { status: 'not ready', reasons: ['the root key is not open'] }

test('until the root key is open health is up, readiness says why not, and calls get one error', async () => {
  const first = await startTestServer()
  const { directory } = first
  const { keyId } = await makeKey(first.client())
  await first.stop('keep')
  const earlier = (await recordsOf(directory)).length

  const opening = Promise.withResolvers<Seal>()
  const server = await startTestServer(
    { TRENT_TEST_API: 'on' },
    { directory, seal: opening.promise },
  )
  after(() => server.stop())
  assert.deepEqual(await get(`${server.url}/healthz`), [200, { status: 'up' }])
  assert.deepEqual(await get(`${server.url}/readyz`), [503, waiting])
  for (const operation of ['ListKeys', 'Encrypt', 'NoSuchOperation']) {
    const { status, text } = await callByHand(server.port, operation)
    const said: unknown = JSON.parse(text)
    assert.deepEqual(
      [status, said],
      [503, { __type: 'ServiceUnavailableException', message: notReady }],
    )
  }
  await assert.rejects(server.client().send(new ListKeysCommand({})), {
    name: 'ServiceUnavailableException',
    message: notReady,
  })
  await assert.rejects(callOperator(directory, 'ListAccounts'), /ServiceUnavailableException/)
  const status = (await callOperator(directory, 'GetStatus')) as Record<string, unknown>
  assert.deepEqual([status['sealed'], status['ready']], [true, false])
  assert.equal((await get(`${server.url}/_trent/test/clock`))[0], 503)

  opening.resolve(fileSeal(join(directory, 'seal.key'), systemRandom))
  await server.server.ready
  const isNode = databaseUrlOf(directory) !== undefined
  const ready = { status: 'ready', ...(isNode && { replication: 'single' }) }
  assert.deepEqual(await get(`${server.url}/readyz`), [200, ready])
  const { Keys } = await answerOf(server.client().send(new ListKeysCommand({})))
  assert.deepEqual(
    (Keys as readonly { KeyId: string }[]).map(({ KeyId }) => KeyId),
    [keyId],
  )
  const records = (await recordsOf(directory)).slice(earlier)
  assert.deepEqual(
    records.map(({ eventName }) => eventName),
    ['ListKeys'],
  )
})

test('a root key that cannot be opened is told, and the server stops clean', async () => {
  const opening = Promise.withResolvers<Seal>()
  const server = await startTestServer({}, { seal: opening.promise })
  opening.reject(new Error('the seal is somebody else’s'))
  await assert.rejects(server.server.ready, { message: 'the seal is somebody else’s' })
  assert.deepEqual(await get(`${server.url}/readyz`), [503, waiting])
  await server.stop()
})

test('a server that is stopped while it waits for its root key stops', async () => {
  const opening = Promise.withResolvers<Seal>()
  const server = await startTestServer({}, { seal: opening.promise })
  await server.stop()
  opening.reject(new Error('too late'))
  await assert.rejects(server.server.ready)
})
