/** `TRENT_TEST_API=container`: the test API for tests outside a container, and what keeps it there. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { loadConfig, parseConfig } from '../../src/config.ts'
import { refusal } from './refusal.ts'
import { end, serve, temporaryFolder, trentEnded, type Settings } from './serve-process.ts'

const container = { TRENT_TEST_API: 'container', TRENT_TEST_API_HOSTS: 'trent,kms.test' } as const
const ci = {
  TRENT_ROOT_ACCESS_KEY_ID: 'CIROOT',
  TRENT_ROOT_SECRET_ACCESS_KEY: 'ci-root-secret',
} as const

const otherUse = /^TRENT_TEST_API=container is refused for this data directory/

/** The status of a call of the test API under a name. */
async function statusOf(port: number, host: string, origin?: string): Promise<number | undefined> {
  const headers = {
    Host: host,
    'Content-Type': 'application/json',
    ...(origin !== undefined && { Origin: origin }),
  }
  const path = '/_trent/test/clock'
  const call = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent: false })
  call.end('{"advance": "1d"}')
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode
}

function createKey(t: TestContext, endpoint: string): Promise<unknown> {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const client = new KMSClient({ endpoint, region: 'us-east-1', maxAttempts: 1, credentials })
  t.after(() => client.destroy())
  return client.send(new CreateKeyCommand({}))
}

test('a test container takes test/test, its own names, and says so loudly', async (t) => {
  const folder = temporaryFolder(t)
  const server = await serve(t, folder, container)
  assert.match(server.stdout(), /^THE TEST API IS ON, ALSO FOR OTHER MACHINES: /m)
  assert.match(server.stdout(), /^ITS ROOT CREDENTIALS ARE test AND test: /m)
  assert.match(server.stdout(), /export AWS_SECRET_ACCESS_KEY=test$/m)
  await createKey(t, server.url)
  assert.equal(await statusOf(server.port, 'localhost:49153'), 200)
  assert.equal(await statusOf(server.port, 'kms.test'), 200)
  assert.equal(await statusOf(server.port, 'trent:4599', 'http://trent:4599'), 200)
  assert.equal(await statusOf(server.port, 'evil.example:4599'), 403)
  assert.equal(await statusOf(server.port, 'trent:4599', 'http://evil.example'), 403)
  await end(server, 'SIGTERM')
  assert.match(server.stderr(), /"level":40.*TRENT_TEST_API=container: anyone/)

  // Everybody knows these credentials. Another start does not serve them.
  const known = /was made with TRENT_TEST_API=container, and its root access key is test/
  assert.match(await refusal(t, folder, {}), known)
  assert.match(await refusal(t, folder, { TRENT_TEST_API: 'on' }), known)
  const own = await serve(t, folder, ci)
  await assert.rejects(createKey(t, own.url), { name: 'UnrecognizedClientException' })
  await end(own, 'SIGTERM')
  // Now it has another use.
  for (const settings of [container, { ...container, ...ci }]) {
    assert.match(await refusal(t, folder, settings), otherUse)
  }
})

test('a test container with a root access key of its own takes its data again, and no other data', async (t) => {
  const folder = temporaryFolder(t)
  const own = { ...container, ...ci }
  for (const settings of [own, own]) await end(await serve(t, folder, settings), 'SIGTERM')

  const production = temporaryFolder(t)
  await end(await serve(t, production, ci), 'SIGTERM')
  assert.match(await refusal(t, production, { ...container, ...ci }), otherUse)
})

test('a deployment that was made for other use is no test container', async (t) => {
  const folder = temporaryFolder(t)
  const server = await serve(t, folder)
  await assert.rejects(createKey(t, server.url), { name: 'UnrecognizedClientException' })
  assert.equal(await statusOf(server.port, `localhost:${server.port}`), 404)
  await end(server, 'SIGTERM')
  assert.match(await refusal(t, folder, container), otherUse)
})

test('the credentials of a test container are found behind another account too', async (t) => {
  const folder = temporaryFolder(t)
  const server = await serve(t, folder, container)
  const other = '444455556666'
  const data = { TRENT_DATA_DIR: join(folder, 'data') }
  const made = await trentEnded(t, ['account', 'create', '--id', other], data, folder)
  assert.equal(made.code, 0, made.stderr)
  await end(server, 'SIGTERM')
  const hidden = await refusal(t, folder, { ...ci, TRENT_ACCOUNT_ID: other })
  assert.match(hidden, /its root access key is test/)
})

test('test/test are credentials of a test container alone, and its settings of it', () => {
  const testRoot = { TRENT_ROOT_ACCESS_KEY_ID: 'test', TRENT_ROOT_SECRET_ACCESS_KEY: 'test' }
  const secretOf = (settings: Settings): string =>
    Buffer.from(parseConfig({ ...settings }).root?.secretAccessKey ?? []).toString()
  assert.equal(secretOf({ ...container }), 'test')
  assert.equal(secretOf({ ...container, ...testRoot }), 'test')
  assert.equal(secretOf({ ...container, ...ci }), 'ci-root-secret')
  assert.equal(secretOf({}), '')
  const wrong: readonly [Settings, RegExp][] = [
    [testRoot, /TRENT_ROOT_SECRET_ACCESS_KEY must be 8 to 128/],
    [{ ...testRoot, TRENT_TEST_API: 'on' }, /TRENT_ROOT_SECRET_ACCESS_KEY must be 8 to 128/],
    [{ ...container, ...testRoot, TRENT_ROOT_ACCESS_KEY_ID: 'other' }, /must be 8 to 128/],
    [{ ...container, TRENT_ROOT_ACCESS_KEY_ID: 'test' }, /must be 8 to 128/],
    [{ TRENT_TEST_API: 'on', TRENT_TEST_API_HOSTS: 'trent' }, /needs TRENT_TEST_API=container/],
    [{ TRENT_TEST_API: 'Container' }, /must be on, off or container/],
    [{ ...container, TRENT_LISTEN: '0.0.0.0:0' }, /TRENT_ALLOW_PLAINTEXT_HTTP=true/],
    ...['trent:80', 'a b', '-', 'http://trent', '*', 'x'.repeat(254), '[127.0.0.1]', 'a,'].map(
      (hosts): [Settings, RegExp] => [
        { TRENT_TEST_API: 'container', TRENT_TEST_API_HOSTS: hosts },
        /TRENT_TEST_API_HOSTS must be up to 32 host names/,
      ],
    ),
  ]
  for (const [settings, message] of wrong) {
    assert.throws(() => parseConfig({ ...settings }), message, JSON.stringify(settings))
  }
  const beyond = { TRENT_LISTEN: '0.0.0.0:0', TRENT_ALLOW_PLAINTEXT_HTTP: 'true' }
  const { testApi, testContainer } = loadConfig({ ...container, ...beyond })
  assert.deepEqual(
    { testApi, testContainer },
    { testApi: true, testContainer: { hosts: ['trent', 'kms.test'] } },
  )
  assert.throws(() => parseConfig({ ...beyond, TRENT_TEST_API: 'on' }), /is refused unless/)
})
