import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyLastUsageTrackingOperation } from '@aws-sdk/client-kms'
import { anyState } from '../../../src/model/key-state.ts'
import { kmsRegistry } from '../../../src/operations/kms/registry.ts'
import { alter, call, createWorld, makeKey, start } from './memory-dependencies.ts'

const hourMs = 3_600_000

test('GetKeyLastUsage says what is known of the last use, in every state of the key', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  const { accountId, region, keyId } = key
  world.usages.set(keyId, {
    accountId,
    region,
    keyId,
    operation: 'GenerateDataKey',
    usedAt: start + 5000,
    eventId: 'event',
    requestId: 'request',
  })
  for (const state of anyState) {
    alter(world, key, { state })
    assert.deepEqual(await call(world, 'GetKeyLastUsage', { KeyId: keyId }), {
      KeyId: keyId,
      KeyLastUsage: {
        Operation: 'GenerateDataKey',
        Timestamp: new Date(start + 5000),
        CloudTrailEventId: 'event',
        KmsRequestId: 'request',
      },
      TrackingStartDate: new Date(start),
      KeyCreationDate: new Date(start),
    })
  }
})

test('GetKeyLastUsage of a key that was never used has an empty last use', async () => {
  const world = createWorld()
  const { keyId } = await makeKey(world)
  const { KeyLastUsage } = await call(world, 'GetKeyLastUsage', { KeyId: keyId })
  assert.deepEqual(KeyLastUsage, {})
})

test('GetKeyLastUsage says nothing by a row that is forged or missing', async () => {
  const world = createWorld()
  const { accountId, region, keyId } = await makeKey(world)
  const row = { operation: 'Encrypt', usedAt: start, eventId: 'e', requestId: 'r' } as const
  world.now = start + hourMs
  for (const members of [{}, row]) {
    world.usages.set(keyId, { accountId, region, keyId, unproved: true, ...members })
    const answer = await call(world, 'GetKeyLastUsage', { KeyId: keyId })
    assert.deepEqual(answer['KeyLastUsage'], {})
    assert.deepEqual(answer['TrackingStartDate'], new Date(start + hourMs))
  }
})

test('tracking starts with the key, or where the key is older, when Trent began to track', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  for (const [createdAt, trackedSince] of [
    [start + hourMs, start + hourMs],
    [start - hourMs, start],
  ] as const) {
    alter(world, key, { createdAt })
    const answer = await call(world, 'GetKeyLastUsage', { KeyId: key.keyId })
    assert.deepEqual(answer['TrackingStartDate'], new Date(trackedSince))
    assert.deepEqual(answer['KeyCreationDate'], new Date(createdAt))
  }
})

test('GetKeyLastUsage takes a key id or key ARN, and no alias', async () => {
  const world = createWorld()
  const { keyId, accountId, region } = await makeKey(world)
  await call(world, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId: keyId })
  const arn = `arn:aws:kms:${region}:${accountId}:key/${keyId}`
  assert.equal((await call(world, 'GetKeyLastUsage', { KeyId: arn }))['KeyId'], keyId)
  await assert.rejects(call(world, 'GetKeyLastUsage', { KeyId: 'alias/a' }), {
    code: 'InvalidArnException',
  })
})

test('every operation that AWS tracks counts as a use under its own name, and no other does', () => {
  const tracked: readonly string[] = Object.values(KeyLastUsageTrackingOperation)
  for (const { name, service, tracksUsage } of kmsRegistry.values()) {
    const expected = service === 'kms' && tracked.includes(name) ? name : undefined
    assert.equal(tracksUsage, expected, name)
  }
})
