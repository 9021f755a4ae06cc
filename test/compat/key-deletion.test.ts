/** The end of a key, by the clock that tests move and by one that nobody vouches for. @module */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateGrantCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  ListAliasesCommand,
  ListKeysCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { accountId, clockIsCompared as skip, startTestServer, type TestServer } from '../harness.ts'
import { recordsOf } from './records.ts'
import { makeKey, refused } from './sdk.ts'
import { advance } from './test-clock.ts'
import type { ServerStatus } from '../../src/operations/contract/server-controls.ts'

const Plaintext = Buffer.from('x')
const dayMs = 86_400_000

const statusOf = async ({ directory }: TestServer): Promise<ServerStatus> =>
  (await callOperator(directory, 'GetStatus')) as ServerStatus

async function deletionsOf({ directory }: TestServer): Promise<readonly object[]> {
  return (await recordsOf(directory)).filter(({ eventName }) => eventName === 'DeleteKey')
}

test('a key is gone when its waiting period is over, and not a moment sooner', async (t) => {
  const server = await startTestServer({ TRENT_TEST_API: 'on' })
  t.after(() => server.stop())
  const kms = server.client()
  const { keyId: KeyId, arn } = await makeKey(kms)
  const { keyId: spared } = await makeKey(kms)
  const { keyId: staying } = await makeKey(kms)
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/dying', TargetKeyId: KeyId }))
  const GranteePrincipal = `arn:aws:iam::${accountId}:root`
  const grant = { KeyId, GranteePrincipal, Operations: ['Encrypt' as const] }
  const { GrantToken } = await kms.send(new CreateGrantCommand(grant))
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const kept = await kms.send(new EncryptCommand({ KeyId: staying, Plaintext }))
  for (const id of [KeyId, spared]) {
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }))
  }
  await advance(server.url, '6d')
  await kms.send(new CancelKeyDeletionCommand({ KeyId: spared }))
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
  assert.equal(KeyMetadata?.KeyState, 'PendingDeletion')
  assert.deepEqual(await deletionsOf(server), [])
  await advance(server.url, '1d')

  const gone = `Key '${arn}' does not exist`
  await refused(kms.send(new DescribeKeyCommand({ KeyId })), 'NotFoundException', gone)
  await refused(kms.send(new EncryptCommand({ KeyId, Plaintext })), 'NotFoundException', gone)
  await refused(kms.send(new CancelKeyDeletionCommand({ KeyId })), 'NotFoundException', gone)
  await assert.rejects(kms.send(new DecryptCommand({ CiphertextBlob })))
  const withToken = new EncryptCommand({
    KeyId: staying,
    Plaintext,
    GrantTokens: [GrantToken ?? ''],
  })
  await refused(kms.send(withToken), 'InvalidGrantTokenException')
  const { Keys } = await kms.send(new ListKeysCommand({}))
  assert.deepEqual(Keys?.map((key) => key.KeyId).toSorted(), [spared, staying].toSorted())
  const { Aliases } = await kms.send(new ListAliasesCommand({}))
  assert.deepEqual(
    Aliases?.filter(({ AliasName }) => AliasName === 'alias/dying'),
    [],
  )
  // Its name is free again.
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/dying', TargetKeyId: staying }))
  await kms.send(new DecryptCommand({ CiphertextBlob: kept.CiphertextBlob }))
  const [event, ...more] = (await deletionsOf(server)) as readonly Record<string, unknown>[]
  assert.deepEqual(more, [])
  assert.deepEqual(
    [
      event?.['eventType'],
      event?.['userIdentity'],
      event?.['responseElements'],
      event?.['resources'],
    ],
    [
      'AwsServiceEvent',
      { accountId, invokedBy: 'AWS Internal' },
      { keyId: arn },
      [{ accountId, type: 'AWS::KMS::Key', ARN: arn }],
    ],
  )
  const { deleted } = await statusOf(server)
  assert.deepEqual(deleted, { gone: 1, shredded: 0, openedBySeals: [{ generation: 1, keys: 1 }] })
})

test(
  'a clock that is set ten years on deletes nothing until somebody vouches for it',
  { skip },
  async (t) => {
    let skew = 0
    const time = { system: () => Date.now() + skew, monotonic: () => performance.now() }
    const server = await startTestServer({}, { time })
    t.after(() => server.stop())
    const client = (): ReturnType<TestServer['client']> =>
      server.client({ systemClockOffset: skew })
    const { keyId: KeyId, arn } = await makeKey(client())
    await client().send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
    skew = 3650 * dayMs
    const described = async (): Promise<unknown> =>
      (await client().send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState
    // Until the jobs have looked: they say so in the log.
    const alarmed = (): boolean => server.logged.some((line) => line.includes('trent clock accept'))
    while (!alarmed()) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(await described(), 'PendingDeletion')
    const { clock } = await statusOf(server)
    assert.match(clock.held ?? '', /^the clock was set by 315360000 seconds/)
    const program = join(import.meta.dirname, '../../src/main.ts')
    const env = { ...process.env, TRENT_DATA_DIR: server.directory }
    const { stdout } = await promisify(execFile)(process.execPath, [program, 'clock', 'accept'], {
      env,
    })
    assert.match(stdout, /^the clock is confirmed: 20\d\d-/)
    assert.equal((await statusOf(server)).clock.held, undefined)
    const gone = `Key '${arn}' does not exist`
    await refused(client().send(new DescribeKeyCommand({ KeyId })), 'NotFoundException', gone)
    const records = await recordsOf(server.directory)
    assert.equal(records.filter(({ eventName }) => eventName === 'AcceptClock').length, 1)
  },
)

test('a start after more than a week, or into the past, is noticed', { skip }, async (t) => {
  let skew = 0
  const time = { system: () => Date.now() + skew, monotonic: () => performance.now() }
  const first = await startTestServer({}, { time })
  const { keyId: KeyId } = await makeKey(first.client())
  await first.client().send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await first.stop('keep')
  skew = 8 * dayMs
  const later = await startTestServer({}, { time, directory: first.directory })
  const { clock } = await statusOf(later)
  assert.match(clock.held ?? '', /^the clock is 8 days past the last time/)
  const described = await later
    .client({ systemClockOffset: skew })
    .send(new DescribeKeyCommand({ KeyId }))
  assert.equal(described.KeyMetadata?.KeyState, 'PendingDeletion')
  await later.stop('keep')
  // Behind the mark: time goes on from it.
  skew = -dayMs
  const earlier = await startTestServer({}, { time, directory: first.directory })
  t.after(() => earlier.stop())
  const status = await statusOf(earlier)
  assert.equal(status.clock.held, undefined)
  assert(Date.parse(status.clock.now) > Date.now() - dayMs / 2)
})
