/** Which of the related keys is the primary, and the records that calls in two Regions leave. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  DecryptCommand,
  EncryptCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms'
import { accountId, startTestServer } from '../harness.ts'
import { arnIn, config, describe, makePrimary, replicate, settled } from './multi-region.ts'
import { recordsOf } from './records.ts'
import { answerOf, refused } from './sdk.ts'

const server = await startTestServer()
after(() => server.stop())
const here = 'us-west-2'
const there = 'eu-north-1'
const third = 'ap-south-1'
const kms = server.client()
const kmsThere = server.client({ region: there })
const kmsThird = server.client({ region: third })
const Plaintext = Buffer.from('a secret')

test('UpdatePrimaryRegion has both keys Updating for a moment, in which they work', async () => {
  const KeyId = await makePrimary(kms)
  await replicate(kms, kmsThere, { KeyId, ReplicaRegion: there })
  await replicate(kms, kmsThird, { KeyId, ReplicaRegion: third })
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const update = new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: there })
  assert.deepEqual(await answerOf(kms.send(update)), {})
  for (const client of [kms, kmsThere]) {
    const { KeyState, Enabled } = await describe(client, KeyId)
    assert.deepEqual([KeyState, Enabled], ['Updating', false])
    await client.send(new DecryptCommand({ CiphertextBlob }))
    await refused(
      client.send(new ScheduleKeyDeletionCommand({ KeyId })),
      'KMSInvalidStateException',
      `${arnIn(client === kms ? here : there, KeyId)} is updating.`,
    )
  }
  for (const client of [kms, kmsThere]) await settled(client, KeyId)
  for (const [client, place] of [
    [kms, here],
    [kmsThere, there],
    [kmsThird, third],
  ] as const) {
    const { KeyState, MultiRegionConfiguration } = await describe(client, KeyId)
    assert.equal(KeyState, 'Enabled')
    const type = place === there ? 'PRIMARY' : 'REPLICA'
    assert.deepEqual(MultiRegionConfiguration, config(type, KeyId, there, [third, here]))
  }
  await refused(
    kms.send(update),
    'KMSInvalidStateException',
    `${arnIn(here, KeyId)} is not a multi-Region primary key.`,
  )
  // Where it is the primary by now.
  await kmsThere.send(update)
  await refused(
    kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'us-east-1' })),
    'UnsupportedOperationException',
    `${arnIn(here, KeyId)} is not a multi-region primary key.`,
  )
})

test('each call leaves its records in both Regions, each once', async () => {
  const KeyId = await makePrimary(kms)
  await replicate(kms, kmsThere, { KeyId, ReplicaRegion: there, Description: 'theirs' })
  const update = new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: there })
  const { $metadata } = await kms.send(update)
  const records = (await recordsOf(server.directory)).filter(({ resources }) =>
    resources?.some((resource) => resource['ARN']?.endsWith(KeyId)),
  )
  const of = (name: string, place: string): readonly (typeof records)[number][] =>
    records.filter(({ eventName, awsRegion }) => eventName === name && awsRegion === place)
  const [replicated, ...again] = of('ReplicateKey', here)
  const [created, ...twice] = of('CreateKey', there)
  assert(replicated && created)
  assert.deepEqual([again.length, twice.length], [0, 0])
  assert.equal(replicated.requestParameters?.['replicaRegion'], there)
  assert.equal(replicated.requestID, created.requestID)
  assert.notEqual(replicated.eventID, created.eventID)
  const service = 'kms.amazonaws.com'
  assert.deepEqual(
    [created.userIdentity['invokedBy'], created.sourceIPAddress, created.userAgent],
    [service, service, service],
  )
  assert.equal(created.userIdentity['arn'], `arn:aws:iam::${accountId}:root`)
  assert.deepEqual(
    [created.requestParameters?.['multiRegion'], created.requestParameters?.['description']],
    [true, 'theirs'],
  )
  assert.deepEqual(
    created.resources.map(({ ARN }) => ARN),
    [arnIn(there, KeyId)],
  )
  assert.equal(of('SynchronizeMultiRegionKey', here).length, 1)
  const [first, ...others] = of('UpdatePrimaryRegion', here)
  const [second, ...more] = of('UpdatePrimaryRegion', there)
  assert(first && second)
  assert.deepEqual([others.length, more.length], [0, 0])
  assert.deepEqual([first.requestID, second.requestID], [$metadata.requestId, $metadata.requestId])
  assert.deepEqual(first.responseElements, { keyId: arnIn(here, KeyId) })
  assert.deepEqual(second.responseElements, { keyId: arnIn(there, KeyId) })
  assert.deepEqual(second.requestParameters, { keyId: arnIn(there, KeyId), primaryRegion: there })
  assert.deepEqual(
    [first.userIdentity['invokedBy'], second.userIdentity['invokedBy']],
    [undefined, service],
  )
  assert.deepEqual(
    first.resources.map(({ ARN }) => ARN),
    [arnIn(here, KeyId)],
  )
})
