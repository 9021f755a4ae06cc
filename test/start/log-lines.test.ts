/** The log of `trent serve`: lines for people on a terminal, JSON elsewhere, and requests in it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test, type TestContext } from 'node:test'
import { CreateKeyCommand, DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  end,
  freePort,
  main,
  ready,
  run,
  temporaryFolder,
  trent,
  type Running,
  type Serving,
  type Settings,
} from './serve-process.ts'

const root = {
  TRENT_ROOT_ACCESS_KEY_ID: 'CIROOT',
  TRENT_ROOT_SECRET_ACCESS_KEY: 'ci-root-secret',
} as const

/** A success, a refusal, and a caller that nobody knows. */
async function call(t: TestContext, { url }: Pick<Serving, 'url'>): Promise<void> {
  const clientOf = (accessKeyId: string): KMSClient => {
    const credentials = { accessKeyId, secretAccessKey: 'ci-root-secret' }
    const client = new KMSClient({
      endpoint: url,
      region: 'us-west-2',
      maxAttempts: 1,
      credentials,
    })
    t.after(() => client.destroy())
    return client
  }
  const client = clientOf('CIROOT')
  await client.send(new CreateKeyCommand({}))
  const absent = new DescribeKeyCommand({ KeyId: 'alias/absent' })
  await assert.rejects(client.send(absent), { name: 'NotFoundException' })
  await assert.rejects(clientOf('STRANGER').send(absent), { name: 'UnrecognizedClientException' })
}

async function said({ child, ended }: Running, text: () => string, pattern: RegExp): Promise<void> {
  const seen = Promise.withResolvers<undefined>()
  const look = (): void => {
    if (pattern.test(text())) seen.resolve(undefined)
  }
  child.stderr?.on('data', look)
  child.stdout?.on('data', look)
  look()
  await Promise.race([seen.promise, ended])
  assert.match(text(), pattern)
}

function start(
  t: TestContext,
  parameters: readonly string[],
  settings: Settings,
): Promise<Serving> {
  const folder = temporaryFolder(t)
  const given = { ...freePort(folder), ...root, ...settings }
  return ready(trent(t, ['serve', ...parameters], given, folder))
}

test('without a terminal the log is JSON, and requests are not in it', async (t) => {
  const server = await start(t, [], {})
  await call(t, server)
  await end(server, 'SIGTERM')
  const lines = server.stderr().trimEnd().split('\n').filter(Boolean)
  for (const line of lines) assert.ok('level' in (JSON.parse(line) as object), line)
  assert.doesNotMatch(server.stderr(), /"request":|CreateKey/)
})

test('JSON has requests at the level debug, of every worker', async (t) => {
  const settings = { TRENT_LOG_LEVEL: 'debug', TRENT_WORKERS: '2' }
  const server = await start(t, ['--log', 'json'], settings)
  // The system chooses the worker of a connection, so both serve some of these.
  for (let round = 0; round < 8; round += 1) await call(t, server)
  await end(server, 'SIGTERM')
  const requests = server
    .stderr()
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { request?: Record<string, unknown> }).request)
    .filter((request) => request !== undefined)
  const outcomes = requests.map(({ operation, outcome, key }) => [operation, outcome, key])
  const count = (...wanted: readonly unknown[]): number =>
    outcomes.filter((each) => JSON.stringify(each) === JSON.stringify(wanted)).length
  assert.equal(count('DescribeKey', 'NotFoundException', 'alias/absent'), 8)
  assert.equal(count('DescribeKey', 'UnrecognizedClientException', undefined), 8)
  const created = requests.filter(({ operation }) => operation === 'CreateKey')
  assert.equal(created.length, 8)
  for (const { principal, outcome, id, milliseconds } of created) {
    assert.deepEqual([principal, outcome], ['arn:aws:iam::000000000000:root', 'success'])
    assert.match(String(id), /^[0-9a-f-]{36}$/)
    assert.equal(typeof milliseconds, 'number')
  }
})

const isScripted = spawnSync('script', ['--version']).status === 0
const skip = isScripted ? false : 'there is no `script`, which makes a terminal'

/** Runs `trent serve` on a terminal of its own. The terminal has both outputs. */
async function onTerminal(
  t: TestContext,
  parameters: readonly string[],
  settings: Settings,
): Promise<Serving> {
  const folder = temporaryFolder(t)
  const given = { ...freePort(folder), ...root, TERM: 'xterm-256color', ...settings }
  const command = ['exec', process.execPath, main, 'serve', ...parameters].join(' ')
  return ready(run(t, ['script', '-qefc', command, '/dev/null'], given, folder))
}

const time = String.raw`\d\d:\d\d:\d\d`

test('on a terminal each request is one readable line, in colours', { skip }, async (t) => {
  const server = await onTerminal(t, [], {})
  await call(t, server)
  await said(server, server.stdout, /UnrecognizedClientException/)
  const text = server.stdout()
  const escape = '\u001B'
  const created = new RegExp(
    `^${escape}\\[2m${time}${escape}\\[22m 000000000000:root  CreateKey  ${escape}\\[32mok${escape}\\[39m  .* ms`,
    'm',
  )
  assert.match(text, created)
  assert.match(text, /DescribeKey {2}alias\/absent {2}\S*NotFoundException/)
  assert.doesNotMatch(text, /"level":/)
  await end(server, 'SIGTERM')
})

test('NO_COLOR leaves the colours out', { skip }, async (t) => {
  const server = await onTerminal(t, [], { NO_COLOR: '1' })
  await call(t, server)
  await said(server, server.stdout, /UnrecognizedClientException/)
  assert.match(server.stdout(), new RegExp(`^${time} 000000000000:root  CreateKey  ok  `, 'm'))
  assert.ok(!server.stdout().includes('\u001B'))
  await end(server, 'SIGTERM')
})

test('--log lines works without a terminal, without colours', async (t) => {
  const server = await start(t, ['--log', 'lines'], {})
  await call(t, server)
  await end(server, 'SIGTERM')
  const refused = new RegExp(
    `^${time} -  DescribeKey  UnrecognizedClientException  [\\d.]+ ms$`,
    'm',
  )
  assert.match(server.stderr(), refused)
  assert.ok(!server.stderr().includes('\u001B'))
})

test('another form of the log is refused', async (t) => {
  const folder = temporaryFolder(t)
  const refused = trent(t, ['serve', '--log', 'xml'], freePort(folder), folder)
  assert.equal((await refused.ended).code, 1)
  assert.match(
    refused.stderr(),
    /^error: option '--log <form>' argument 'xml' is invalid\. Allowed choices/,
  )
})
