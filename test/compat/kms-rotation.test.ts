/** Automatic rotation of keys by the clock, through the official SDK. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  CancelKeyDeletionCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { accountId, startTestServer } from '../harness.ts'
import { requireNear, rotating } from './rotating.ts'
import { answerOf, fails, makeKey, refused, validationError } from './sdk.ts'
import { advance } from './test-clock.ts'

const server = await startTestServer({ TRENT_TEST_API: 'on' })
after(() => server.stop())
const kms = server.client()
const { currentOf, opened, rotate, rotations, seal, status } = rotating(kms)
const dayMs = 86_400_000

test('automatic rotation comes when its period is over, and again', async () => {
  const { keyId, arn, materialId: first } = await makeKey(kms)
  const sealed = [await seal(keyId, '0')]
  await kms.send(new EnableKeyRotationCommand({ KeyId: keyId, RotationPeriodInDays: 90 }))
  const { NextRotationDate, ...rest } = await answerOf(status(keyId))
  assert.deepEqual(rest, { KeyId: arn, KeyRotationEnabled: true, RotationPeriodInDays: 90 })
  const due = (NextRotationDate as Date).getTime()
  await advance(server.url, '89d')
  assert.deepEqual(await rotations(keyId), [])
  const materials = [first]
  for (const round of [1, 2, 3]) {
    const now = await advance(server.url, round === 1 ? '1d' : '90d')
    materials.push(await currentOf(keyId))
    sealed.push(await seal(keyId, String(round)))
    const list = await rotations(keyId)
    assert.equal(list.length, round)
    requireNear(list.at(-1)?.RotationDate, now)
    assert.equal(list.at(-1)?.RotationType, 'AUTOMATIC')
    // The schedule keeps to its days, however late the clock was looked at.
    assert.equal((await status(keyId)).NextRotationDate?.getTime(), due + round * 90 * dayMs)
  }
  assert.equal(new Set(materials).size, 4)
  for (const [index, blob] of sealed.entries()) {
    assert.deepEqual(await opened(blob), [String(index), materials[index]])
  }
  assert.deepEqual(
    (await rotations(keyId, 'ALL_KEY_MATERIAL')).map((entry) => [
      entry.KeyMaterialId,
      entry.KeyMaterialState,
    ]),
    materials.map((id, index) => [id, index === 3 ? 'CURRENT' : 'NON_CURRENT']),
  )
})

test('a year that passes at once is one rotation, and the period begins anew', async () => {
  const { keyId } = await makeKey(kms)
  await kms.send(new EnableKeyRotationCommand({ KeyId: keyId, RotationPeriodInDays: 90 }))
  const now = await advance(server.url, '365d')
  assert.equal((await rotations(keyId)).length, 1)
  requireNear((await status(keyId)).NextRotationDate, now + 90 * dayMs)
  await advance(server.url, '89d')
  assert.equal((await rotations(keyId)).length, 1)
  await advance(server.url, '2d')
  assert.equal((await rotations(keyId)).length, 2)
})

test('a disabled key keeps its schedule, does not rotate, and catches up when it is enabled', async () => {
  const { keyId, materialId } = await makeKey(kms)
  await kms.send(new EnableKeyRotationCommand({ KeyId: keyId }))
  const { NextRotationDate } = await status(keyId)
  await kms.send(new DisableKeyCommand({ KeyId: keyId }))
  await advance(server.url, '400d')
  const disabled = await status(keyId)
  assert.equal(disabled.KeyRotationEnabled, true)
  assert.deepEqual(disabled.NextRotationDate, NextRotationDate)
  assert.equal(await currentOf(keyId), materialId)
  await kms.send(new EnableKeyCommand({ KeyId: keyId }))
  await advance(server.url, '0s')
  assert.notEqual(await currentOf(keyId), materialId)
  const [{ RotationType } = {}] = await rotations(keyId)
  assert.equal(RotationType, 'AUTOMATIC')
})

test('a key that is to be deleted reports no rotation, does not rotate, and gets both back', async () => {
  const { keyId, arn, materialId } = await makeKey(kms)
  await kms.send(new EnableKeyRotationCommand({ KeyId: keyId, RotationPeriodInDays: 90 }))
  const enabled = await answerOf(status(keyId))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays: 30 }))
  assert.deepEqual(await answerOf(status(keyId)), { KeyId: arn, KeyRotationEnabled: false })
  await advance(server.url, '20d')
  await kms.send(new CancelKeyDeletionCommand({ KeyId: keyId }))
  assert.deepEqual(await answerOf(status(keyId)), enabled)
  await advance(server.url, '75d')
  assert.equal(await currentOf(keyId), materialId)
  await kms.send(new EnableKeyCommand({ KeyId: keyId }))
  await advance(server.url, '0s')
  assert.notEqual(await currentOf(keyId), materialId)
})

test('the period is what is asked for, and only another one puts the next rotation off', async () => {
  const { keyId } = await makeKey(kms)
  const enable = (RotationPeriodInDays?: number): Promise<unknown> =>
    kms.send(new EnableKeyRotationCommand({ KeyId: keyId, RotationPeriodInDays }))
  const read = async (): Promise<readonly [number | undefined, number]> => {
    const { RotationPeriodInDays, NextRotationDate } = await status(keyId)
    return [RotationPeriodInDays, NextRotationDate?.getTime() ?? 0]
  }
  await enable()
  const [days, first] = await read()
  assert.equal(days, 365)
  const later = await advance(server.url, '10d')
  await enable(365)
  await enable()
  assert.deepEqual(await read(), [365, first])
  await enable(90)
  const [shorter, second] = await read()
  assert.equal(shorter, 90)
  requireNear(new Date(second), later + 90 * dayMs)
  await enable()
  assert.deepEqual(await read(), [90, second])
  await kms.send(new DisableKeyRotationCommand({ KeyId: keyId }))
  await kms.send(new DisableKeyRotationCommand({ KeyId: keyId }))
  assert.equal((await status(keyId)).KeyRotationEnabled, false)
  await enable()
  assert.equal((await read())[0], 365)
})

test('pages of rotations have markers that are good for just this list', async () => {
  const { keyId } = await makeKey(kms)
  const { keyId: otherId } = await makeKey(kms)
  for (const key of [keyId, keyId, keyId, otherId]) await rotate(key)
  const list = (input: object): Promise<Record<string, unknown>> =>
    answerOf(kms.send(new ListKeyRotationsCommand({ KeyId: keyId, ...input })))
  const first = await list({ Limit: 2 })
  assert.equal((first['Rotations'] as unknown[]).length, 2)
  assert.equal(first['Truncated'], true)
  const Marker = String(first['NextMarker'])
  const second = await list({ Limit: 2, Marker, IncludeKeyMaterial: 'ROTATIONS_ONLY' })
  assert.equal((second['Rotations'] as unknown[]).length, 1)
  assert.deepEqual([second['Truncated'], second['NextMarker']], [false, undefined])
  for (const input of [
    { Marker: 'made up' },
    { Marker, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' },
    { Marker, KeyId: otherId },
  ]) {
    await refused(list(input), 'InvalidMarkerException')
  }
  assert.deepEqual(
    [...(first['Rotations'] as unknown[]), ...(second['Rotations'] as unknown[])],
    (await list({}))['Rotations'],
  )
})

test('a period or a limit out of bounds is said to be, and nothing is changed', async () => {
  const { keyId: KeyId } = await makeKey(kms)
  for (const [days, constraint] of [
    [89, 'have value greater than or equal to 90'],
    [2561, 'have value less than or equal to 2560'],
  ] as const) {
    await refused(
      kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: days })),
      'ValidationException',
      validationError(fails(`'${days}'`, 'rotationPeriodInDays', constraint)),
    )
  }
  assert.equal((await status(KeyId)).KeyRotationEnabled, false)
  await refused(
    kms.send(new ListKeyRotationsCommand({ KeyId, Limit: 1001 })),
    'ValidationException',
    validationError(fails("'1001'", 'limit', 'have value less than or equal to 1000')),
  )
})

test('a policy can bound the period, and sees the default where none is asked for', async () => {
  const rule = { Principal: { AWS: `arn:aws:iam::${accountId}:root` }, Resource: '*' }
  const Condition = { NumericGreaterThan: { 'kms:RotationPeriodInDays': '180' } }
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { ...rule, Effect: 'Allow', Action: 'kms:*' },
      { ...rule, Effect: 'Deny', Action: 'kms:EnableKeyRotation', Condition },
    ],
  })
  const { keyId: KeyId } = await makeKey(kms, { Policy })
  for (const days of [undefined, 181]) {
    const enable = kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: days }))
    await assert.rejects(enable, { name: 'AccessDeniedException' })
  }
  await kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 180 }))
  // It keeps 180 days, and the policy is asked about 365 all the same.
  const again = kms.send(new EnableKeyRotationCommand({ KeyId }))
  await assert.rejects(again, { name: 'AccessDeniedException' })
})

test('keys of other kinds are refused as AWS does, or have no rotation', async () => {
  for (const made of [
    { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
    { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  ] as const) {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand(made))
    const { KeyId, Arn } = KeyMetadata ?? {}
    await refused(
      kms.send(new EnableKeyRotationCommand({ KeyId })),
      'UnsupportedOperationException',
    )
    await refused(
      kms.send(new RotateKeyOnDemandCommand({ KeyId })),
      'UnsupportedOperationException',
    )
    await kms.send(new DisableKeyRotationCommand({ KeyId }))
    assert.deepEqual(await answerOf(status(KeyId ?? '')), { KeyId: Arn, KeyRotationEnabled: false })
    const list = kms.send(new ListKeyRotationsCommand({ KeyId }))
    assert.deepEqual(await answerOf(list), { Rotations: [], Truncated: false })
    await refused(
      kms.send(new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })),
      'ValidationException',
      'Input parameter includeKeyMaterial can only be used with symmetric keys.',
    )
  }
})
