/** `npm run demo`, against a Trent that runs and with one of its own: what it shows is what happened. @module */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { end, root, run, serve, temporaryFolder, type Settings } from './serve-process.ts'

/** Runs it, and answers what it printed. */
async function demo(t: TestContext, folder: string, settings: Settings): Promise<string> {
  const running = run(
    t,
    [process.execPath, join(root, 'demo', 'main.ts')],
    { TMPDIR: folder, ...settings },
    folder,
  )
  assert.deepEqual(await running.ended, { code: 0, signal: null }, running.stderr())
  return running.stdout()
}

function requireShown(printed: string): void {
  const [, keyArn = ''] =
    /^key {6}(arn:aws:kms:us-west-2:000000000000:key\/\S+)$/m.exec(printed) ?? []
  assert.notEqual(keyArn, '', printed)
  assert.match(printed, /^encrypt .* 100 %, 1\d\d\.\d MiB in [\d.]+ s, \d+ MiB\/s$/m)
  assert.match(printed, /^decrypt .* 100 %, 1\d\d\.\d MiB in [\d.]+ s, \d+ MiB\/s$/m)
  const [, before, after] = /^sha-256 {2}([\da-f]{64})\n {9}([\da-f]{64})$/m.exec(printed) ?? []
  assert.ok(before !== undefined && before === after)
  const records = [...printed.matchAll(/^ {2}\d{4}-\S+Z (\w+) +ok [\da-f-]{36} /gm)]
  assert.deepEqual(
    records.map(([, eventName]) => eventName),
    ['CreateKey', 'CreateAlias', 'GenerateDataKey', 'Decrypt', 'DeleteAlias'],
  )
}

test('the demo on a running server shows the records that it left there', async (t) => {
  const folder = temporaryFolder(t)
  const server = await serve(t, folder)
  const credentials = join(folder, 'data', 'credentials')
  const settings = { AWS_ENDPOINT_URL: server.url, AWS_SHARED_CREDENTIALS_FILE: credentials }
  requireShown(await demo(t, folder, settings))
  assert.deepEqual(readdirSync(folder), ['data'], 'what it wrote is gone')
  await end(server, 'SIGTERM')
})

test('the demo without a server starts one of its own, and leaves nothing', async (t) => {
  const folder = temporaryFolder(t)
  const printed = await demo(t, folder, {})
  assert.match(printed, /^started a server at http:\/\/127\.0\.0\.1:\d+\n/)
  requireShown(printed)
  assert.deepEqual(readdirSync(folder), [])
})
