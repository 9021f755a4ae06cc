/** Rotation of keys on demand, through the official SDK. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  DisableKeyCommand,
  EnableKeyRotationCommand,
  GenerateDataKeyCommand,
  ReEncryptCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { recordsOf } from './records.ts'
import { rotating } from './rotating.ts'
import { answerOf, makeKey, refused } from './sdk.ts'
import { advance } from './test-clock.ts'

const server = await startTestServer({ TRENT_TEST_API: 'on' })
after(() => server.stop())
const kms = server.client()
const { currentOf, opened, rotate, rotated, rotations, seal, status } = rotating(kms)

test('a rotation on demand ends, and keeps what was sealed before', async () => {
  const { keyId, arn, materialId: first } = await makeKey(kms)
  assert.deepEqual(await answerOf(status(keyId)), { KeyId: arn, KeyRotationEnabled: false })
  const before = await seal(keyId, 'before')
  const startedAfter = await advance(server.url, '0s')
  const started = await answerOf(kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId })))
  assert.deepEqual(started, { KeyId: arn })
  await rotated(keyId)
  const second = await currentOf(keyId)
  assert.notEqual(second, first)
  const behind = await seal(keyId, 'behind')
  assert.deepEqual(await opened(before), ['before', first])
  assert.deepEqual(await opened(behind), ['behind', second])
  const reEncrypted = await kms.send(
    new ReEncryptCommand({ CiphertextBlob: before, DestinationKeyId: keyId }),
  )
  assert.equal(reEncrypted.SourceKeyMaterialId, first)
  assert.equal(reEncrypted.DestinationKeyMaterialId, second)
  assert.deepEqual(await opened(reEncrypted.CiphertextBlob ?? before), ['before', second])
  const dataKey = await kms.send(new GenerateDataKeyCommand({ KeyId: keyId, KeySpec: 'AES_256' }))
  assert.equal(dataKey.KeyMaterialId, second)
  const [entry, ...more] = await rotations(keyId)
  assert.deepEqual(more, [])
  const { RotationDate, ...members } = entry ?? {}
  assert.deepEqual(members, {
    KeyId: arn,
    KeyMaterialId: second,
    KeyMaterialState: 'CURRENT',
    RotationType: 'ON_DEMAND',
  })
  assert((RotationDate?.getTime() ?? 0) >= Math.floor(startedAfter / 1000) * 1000)
  assert.deepEqual(await rotations(keyId, 'ALL_KEY_MATERIAL'), [
    { KeyId: arn, KeyMaterialId: first, KeyMaterialState: 'NON_CURRENT' },
    entry,
  ])
})

test('a rotation has the service’s event, and each call its own record', async () => {
  const { keyId, arn, materialId: first } = await makeKey(kms)
  await rotate(keyId)
  const second = await currentOf(keyId)
  const records = (await recordsOf(server.directory))
    .filter(({ eventSource }) => eventSource === 'kms.amazonaws.com')
    .filter(({ resources }) => resources.some(({ ARN }) => ARN === arn))
  const [event, ...more] = records.filter(({ eventName }) => eventName === 'RotateKey')
  assert.deepEqual(more, [])
  const { eventID, eventTime, trent, ...rest } = event ?? assert.fail('no event')
  assert(eventID.length > 0 && eventTime.length > 0)
  assert.deepEqual(Object.keys(trent), ['change', 'changeId'])
  const [accountId = ''] = arn.split(':').slice(4)
  assert.deepEqual(rest, {
    eventVersion: '1.11',
    userIdentity: { accountId, invokedBy: 'AWS Internal' },
    eventSource: 'kms.amazonaws.com',
    eventName: 'RotateKey',
    awsRegion: 'us-west-2',
    sourceIPAddress: 'AWS Internal',
    userAgent: 'AWS Internal',
    requestParameters: null,
    responseElements: null,
    readOnly: false,
    resources: [{ accountId, type: 'AWS::KMS::Key', ARN: arn }],
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: accountId,
    serviceEventDetails: {
      rotationType: 'ON_DEMAND',
      keyOrigin: 'AWS_KMS',
      previousKeyMaterialId: first,
      currentKeyMaterialId: second,
      keyId,
    },
    eventCategory: 'Management',
  })
  const started = records.find(({ eventName }) => eventName === 'RotateKeyOnDemand')
  assert.deepEqual(started?.requestParameters, { keyId })
  assert.deepEqual(started?.responseElements, { keyId: arn })
})

test('a rotation that was started ends though its key is disabled or to be deleted', async () => {
  for (const stop of [
    (KeyId: string) => kms.send(new DisableKeyCommand({ KeyId })),
    (KeyId: string) => kms.send(new ScheduleKeyDeletionCommand({ KeyId })),
  ]) {
    const { keyId, materialId } = await makeKey(kms)
    await kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }))
    await stop(keyId)
    await rotated(keyId)
    assert.notEqual(await currentOf(keyId), materialId)
  }
})

test('a rotation on demand leaves the schedule, and is refused next to an automatic one', async () => {
  const { keyId } = await makeKey(kms)
  await kms.send(new EnableKeyRotationCommand({ KeyId: keyId, RotationPeriodInDays: 90 }))
  const { NextRotationDate } = await status(keyId)
  await rotate(keyId)
  assert.deepEqual((await status(keyId)).NextRotationDate, NextRotationDate)
  await advance(server.url, '89d')
  await rotate(keyId)
  await advance(server.url, '1420m')
  const message =
    'The request was rejected because an automatic rotation of this key is currently in ' +
    'progress or scheduled to begin within the next 20 minutes.'
  await refused(
    kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId })),
    'ConflictException',
    message,
  )
  await advance(server.url, '1d')
  assert.deepEqual(
    (await rotations(keyId)).map(({ RotationType }) => RotationType),
    ['ON_DEMAND', 'ON_DEMAND', 'AUTOMATIC'],
  )
})

test('a key is rotated on demand twenty-five times and no more; automatic ones do not count', async () => {
  const { keyId, arn } = await makeKey(kms)
  const sealed: Uint8Array[] = []
  for (let count = 0; count < 25; count += 1) {
    sealed.push(await seal(keyId, String(count)))
    await kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }))
    // The one that is in progress is the one that is asked for again.
    await kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }))
    await advance(server.url, '1s')
  }
  assert.equal((await rotations(keyId)).length, 25)
  await refused(
    kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId })),
    'LimitExceededException',
    'The on-demand rotations limit has been reached for the given keyId. ' +
      `No more on-demand rotations can be performed for this key: ${arn}`,
  )
  await kms.send(new EnableKeyRotationCommand({ KeyId: keyId }))
  await advance(server.url, '366d')
  assert.equal((await rotations(keyId)).length, 26)
  for (const [count, blob] of sealed.entries()) assert.equal((await opened(blob))[0], String(count))
})

test('calls while keys rotate find no ciphertext that does not open', async () => {
  const { keyId } = await makeKey(kms)
  const sealed: Uint8Array[] = []
  const over = new AbortController()
  const sealing = Array.from({ length: 4 }, async () => {
    while (!over.signal.aborted) sealed.push(await seal(keyId, 'x'))
  })
  for (let round = 0; round < 5; round += 1) {
    await kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }))
    await advance(server.url, '1s')
  }
  over.abort()
  await Promise.all(sealing)
  const used = new Set<string | undefined>()
  for (const blob of sealed) {
    const [text, materialId] = await opened(blob)
    assert.equal(text, 'x')
    used.add(materialId)
  }
  const known = (await rotations(keyId, 'ALL_KEY_MATERIAL')).map((entry) => entry.KeyMaterialId)
  assert.equal(known.length, 6)
  assert([...used].every((id) => known.includes(id)))
})
