/** Policies that keep keys in use from being disabled or deleted, with the clock that tests move. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { accountId, startTestServer } from '../harness.ts'
import { makeKey } from './sdk.ts'
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
