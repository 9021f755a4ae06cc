/** A webhook over TLS, and a server of its own process that tells it. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateKeyCommand, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms'
import { advance } from '../compat/test-clock.ts'
import { clientOf, settings } from '../durability/fixed-account.ts'
import { assertSigned, secretText, startReceiver, type Receiver } from '../events/receiver.ts'
import { certified } from '../wire/certificate.ts'
import { end, serve, temporaryFolder, type Serving } from './serve-process.ts'

/** A key that is deleted under a server with a webhook over TLS. */
async function deleting(
  t: TestContext,
  name: string,
  trusts: boolean,
): Promise<{
  readonly receiver: Receiver
  readonly server: Serving
  readonly folder: string
  readonly KeyId: string
}> {
  const certificate = await certified(name)
  const receiver = await startReceiver(t, certificate)
  const folder = temporaryFolder(t)
  const authority = join(folder, 'authority.pem')
  writeFileSync(authority, certificate.authority)
  const server = await serve(t, folder, {
    ...settings,
    ...receiver.settings,
    TRENT_TEST_API: 'on',
    ...(trusts && { NODE_EXTRA_CA_CERTS: authority }),
  })
  const client = clientOf(server)
  const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId ?? assert.fail('no key was made')
  await client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  client.destroy()
  await advance(server.url, '7d')
  return { receiver, server, folder, KeyId }
}

test('a webhook over TLS is told, where its authority is trusted', async (t) => {
  const { receiver, server, KeyId } = await deleting(t, 'localhost', true)
  await receiver.takes(1)
  const [only] = receiver.heard
  assert.ok(only)
  assertSigned(only)
  assert.deepEqual(only.told.detail, { 'key-id': KeyId })
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
})

for (const [what, name, trusts] of [
  ['an authority that nobody trusts', 'localhost', false],
  ['a certificate of another name', 'elsewhere.example', true],
] as const) {
  test(`a webhook with ${what} is told nothing, and no secret is logged`, async (t) => {
    const { receiver, server, folder } = await deleting(t, name, trusts)
    const failed = async (): Promise<boolean> => {
      const figures = await (await fetch(`${server.url}/metrics`)).text()
      return !/^trent_events_total\{outcome="failed"\} 0$/m.test(figures)
    }
    for (let tries = 0; tries < 1200 && !(await failed()); tries += 1) await sleep(100)
    assert.ok(await failed())
    assert.equal(receiver.heard.length, 0)
    assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
    const logged = server.stdout() + server.stderr()
    assert.match(logged, /did not take events/)
    const data = join(folder, 'data')
    const files = readdirSync(data, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    // The URL may hold a token.
    for (const secret of [secretText, 'tok3n']) {
      for (const text of [logged, ...files]) assert.ok(!text.includes(secret))
    }
  })
}
