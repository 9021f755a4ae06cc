/** Policies that keep keys in use from being disabled or deleted, with the clock that tests move. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GetKeyLastUsageCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import type { OwnedDatabase } from '../../src/store/open.ts'
import { accountId, startTestServer } from '../harness.ts'
import { makeKey } from './sdk.ts'
import { withDatabase } from './stored.ts'
import { advance } from './test-clock.ts'

const server = await startTestServer({ TRENT_TEST_API: 'on' })
after(() => server.stop())
const kms = server.client()

const statement = { Principal: { AWS: accountId }, Resource: '*' }
const Policy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { ...statement, Effect: 'Allow', Action: 'kms:*' },
    {
      ...statement,
      Effect: 'Deny',
      Action: ['kms:ScheduleKeyDeletion', 'kms:DisableKey'],
      Condition: { NumericLessThan: { 'kms:TrailingDaysWithoutKeyUsage': '90' } },
    },
  ],
})

const denied = (call: Promise<unknown>): Promise<void> =>
  assert.rejects(call, /with an explicit deny in a resource-based policy/)

test('a key ends when nobody has used it for as long as its policy says, and no day sooner', async () => {
  const { keyId: KeyId } = await makeKey(kms)
  await kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
  const disable = (): Promise<unknown> => kms.send(new DisableKeyCommand({ KeyId }))
  const end = (): Promise<unknown> => kms.send(new ScheduleKeyDeletionCommand({ KeyId }))
  // Never used: since it was made.
  await denied(disable())
  await advance(server.url, '89d')
  await denied(end())
  await advance(server.url, '1d')
  await disable()
  await kms.send(new EnableKeyCommand({ KeyId }))
  await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  await denied(disable())
  await advance(server.url, '89d')
  await denied(end())
  await advance(server.url, '1d')
  await end()
})

type Tamper = (query: OwnedDatabase['query']) => Promise<unknown>
const removeUses: Tamper = (query) => query.deleteFrom('key_usage').execute()

/** A server with a used key and an unused one, whose database was tampered with while it was stopped. */
async function tamperedServer(tamper: Tamper) {
  const first = await startTestServer({ TRENT_TEST_API: 'on' })
  const before = first.client()
  const { keyId: used } = await makeKey(before)
  const { keyId: unused } = await makeKey(before)
  for (const KeyId of [used, unused]) {
    await before.send(new PutKeyPolicyCommand({ KeyId, Policy }))
  }
  const Plaintext = Buffer.from('x')
  await before.send(new EncryptCommand({ KeyId: used, Plaintext }))
  await first.stop('keep')
  await withDatabase(first.directory, ({ query }) => tamper(query))
  const restarted = await startTestServer({ TRENT_TEST_API: 'on' }, { directory: first.directory })
  const client = restarted.client()
  return {
    used,
    unused,
    server: restarted,
    disable: (KeyId: string) => client.send(new DisableKeyCommand({ KeyId })),
    lastUsage: (KeyId: string) => client.send(new GetKeyLastUsageCommand({ KeyId })),
    encrypt: (KeyId: string) => client.send(new EncryptCommand({ KeyId, Plaintext })),
  }
}

test('a restart keeps keys as idle as they were', async (t) => {
  const world = await tamperedServer(() => Promise.resolve())
  t.after(() => world.server.stop())
  const { KeyLastUsage } = await world.lastUsage(world.used)
  assert.equal(KeyLastUsage?.Operation, 'Encrypt')
  await advance(world.server.url, '89d')
  await denied(world.disable(world.used))
  await denied(world.disable(world.unused))
  await advance(world.server.url, '1d')
  await world.disable(world.used)
  await world.disable(world.unused)
})

test('a key whose row of last use was removed counts as used now, until it is used', async (t) => {
  const world = await tamperedServer(removeUses)
  t.after(() => world.server.stop())
  await advance(world.server.url, '100d')
  for (const keyId of [world.used, world.unused]) {
    await denied(world.disable(keyId))
    const { KeyLastUsage, TrackingStartDate, KeyCreationDate } = await world.lastUsage(keyId)
    assert.deepEqual(KeyLastUsage, {})
    assert.ok(TrackingStartDate && KeyCreationDate && TrackingStartDate > KeyCreationDate)
    assert.ok(
      world.server.logged.some((line) => line.includes(keyId) && line.includes('key_usage')),
    )
    await world.encrypt(keyId)
    await advance(world.server.url, '90d')
    await world.disable(keyId)
  }
})

for (const [what, tamper] of [
  ['moved', (query) => query.updateTable('key_usage_tracking').set({ since: 0 }).execute()],
  [
    'moved and given an empty tag',
    (query) =>
      query
        .updateTable('key_usage_tracking')
        .set({ since: 0, row_tag: new Uint8Array() })
        .execute(),
  ],
  ['removed', (query) => query.deleteFrom('key_usage_tracking').execute()],
] as const satisfies readonly (readonly [string, Tamper])[]) {
  test(`with the start of tracking ${what}, keys without a row are idle since the restart`, async (t) => {
    const world = await tamperedServer(async (query) => {
      await removeUses(query)
      await tamper(query)
    })
    t.after(() => world.server.stop())
    const { TrackingStartDate, KeyCreationDate } = await world.lastUsage(world.used)
    assert.ok(TrackingStartDate && KeyCreationDate && TrackingStartDate > KeyCreationDate)
    await advance(world.server.url, '89d')
    await denied(world.disable(world.used))
    await denied(world.disable(world.unused))
    await advance(world.server.url, '1d')
    await world.disable(world.unused)
  })
}
