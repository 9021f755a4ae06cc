/** How a server stops: what is in flight is finished, within a bound, whoever sends the signal. @module */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readRecords } from '../../src/audit/journal/read-records.ts'
import { signed } from '../authenticate/signer.ts'
import { rawClient, type RawClient } from '../wire/raw-client.ts'
import { end, serve, temporaryFolder, type Serving } from './serve-process.ts'

/** What is waited for here comes, or the test fails. */
const bounded = { timeout: 60_000 }

const root = {
  TRENT_ROOT_ACCESS_KEY_ID: 'STOPROOT',
  TRENT_ROOT_SECRET_ACCESS_KEY: 'stop-secret-access-key',
}

interface InFlight {
  readonly server: Serving
  readonly client: RawClient
  /** Sends what is missing of the request. */
  readonly finish: () => void
  readonly folder: string
}

/** A server that has read the head of a signed CreateKey, and waits for the rest of its body. */
async function startWithCallInFlight(t: TestContext, workers = '1'): Promise<InFlight> {
  const folder = temporaryFolder(t)
  const server = await serve(t, folder, { ...root, TRENT_WORKERS: workers })
  const host = `127.0.0.1:${server.port}`
  const { rawHeaders, body } = await signed({
    at: Date.now(),
    accessKeyId: root.TRENT_ROOT_ACCESS_KEY_ID,
    secret: root.TRENT_ROOT_SECRET_ACCESS_KEY,
    headers: { host, 'X-Amz-Target': 'TrentService.CreateKey' },
    body: '{"Description":"in flight"}',
  })
  const headers = rawHeaders.map((text, index) => text + (index % 2 === 0 ? ': ' : '\r\n')).join('')
  const client = rawClient({ port: server.port })
  t.after(() => client.socket.destroy())
  // One piece for both: whoever has answered the first has read the head of the second.
  client.write(
    `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n` +
      `POST / HTTP/1.1\r\n${headers}Content-Length: ${body.length}\r\n\r\n` +
      body.toString('latin1', 0, 5),
  )
  await client.until(/^HTTP\/1\.1 200 /)
  return { server, client, folder, finish: () => client.write(body.subarray(5)) }
}

/** Waits until nobody listens any more, which is when the stop has begun. */
async function untilClosed({ port }: Serving): Promise<void> {
  for (;;) {
    const socket = connect({ host: '127.0.0.1', port })
    const refused = await Promise.race([
      once(socket, 'connect').then(() => false),
      once(socket, 'error').then(() => true),
    ]).catch(() => true)
    socket.destroy()
    if (refused) return
  }
}

for (const [signals, workers] of [
  [['SIGTERM'], '1'],
  [['SIGINT'], '1'],
  [['SIGINT', 'SIGINT'], '1'],
  [['SIGTERM', 'SIGINT'], '1'],
  // Of three workers the system chooses one.
  [['SIGTERM'], '3'],
  [['SIGINT', 'SIGINT'], '3'],
] as const) {
  test(
    `${signals.join(' and at once ')}, ${workers} at work: what is in flight is answered, and the exit is clean`,
    bounded,
    async (t) => {
      const { server, client, finish, folder } = await startWithCallInFlight(t, workers)
      for (const signal of signals) server.child.kill(signal)
      await untilClosed(server)
      finish()
      const received = await client.closed
      assert.match(received, /HTTP\/1\.1 200 OK\r\n(?:.*\r\n)*Connection: close\r\n/i)
      const requestId = /x-amzn-requestid: (\S+)\r\n(?:.*\r\n)*\r\n\{"KeyMetadata":/i.exec(
        received,
      )?.[1]
      assert.ok(requestId, received)
      assert.deepEqual(await server.ended, { code: 0, signal: null })
      assert.equal(server.stderr(), '')
      const told: string[] = []
      await readRecords(join(folder, 'data', 'journal'), (record) => {
        if (record.includes(requestId)) told.push(record)
      })
      assert.equal(told.length, 1)
    },
  )
}

test('a client that never finishes does not keep the server for ever', bounded, async (t) => {
  const { server, client } = await startWithCallInFlight(t)
  const before = performance.now()
  server.child.kill('SIGTERM')
  assert.deepEqual(await server.ended, { code: 0, signal: null })
  assert.ok(performance.now() - before < 20_000)
  await client.closed
})

test(
  'a second signal that is no echo of the first ends the process at once',
  bounded,
  async (t) => {
    const { server } = await startWithCallInFlight(t)
    server.child.kill('SIGTERM')
    await untilClosed(server)
    await delay(1100)
    server.child.kill('SIGTERM')
    assert.deepEqual(await server.ended, { code: 143, signal: null })
  },
)

test('SIGUSR1 opens no debugger, and ends nothing', bounded, async (t) => {
  const server = await serve(t, temporaryFolder(t))
  server.child.kill('SIGUSR1')
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200)
  await delay(500)
  assert.doesNotMatch(server.stderr(), /debugger/i)
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
})

for (const workers of ['1', '3']) {
  test(
    `with a delay and ${workers} at work, readiness ends first, and calls are answered until the stop`,
    bounded,
    async (t) => {
      const folder = temporaryFolder(t)
      const settings = { ...root, TRENT_WORKERS: workers, TRENT_STOP_DELAY_SECONDS: '3' }
      const server = await serve(t, folder, settings)
      assert.equal((await fetch(`${server.url}/readyz`)).status, 200)
      server.child.kill('SIGTERM')
      for (;;) {
        const answer = await fetch(`${server.url}/readyz`)
        if (answer.status === 200) continue
        const { reasons } = (await answer.json()) as { reasons: readonly string[] }
        assert.deepEqual(reasons, ['this server is stopping'])
        break
      }
      // New connections are served, and each one closes after its answer.
      for (let call = 0; call < 5; call += 1) {
        const answer = await fetch(`${server.url}/healthz`)
        assert.equal(answer.status, 200)
        assert.equal(answer.headers.get('connection'), 'close')
      }
      assert.deepEqual(await server.ended, { code: 0, signal: null })
    },
  )
}
