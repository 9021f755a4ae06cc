import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  InputRefused,
  accountId,
  alter,
  call,
  createWorld,
  makeKey,
  region,
  start,
} from './memory-dependencies.ts'

const aliasArn = `arn:aws:kms:${region}:${accountId}:alias/a`

test('CreateAlias names a key by its id or its ARN', async () => {
  const world = createWorld()
  const { keyId } = await makeKey(world)
  await call(world, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId: keyId })
  const TargetKeyId = `arn:aws:kms:${region}:${accountId}:key/${keyId}`
  await call(world, 'CreateAlias', { AliasName: 'alias/b/c_d-1', TargetKeyId })
  const common = { accountId, region, targetKeyId: keyId, createdAt: start, updatedAt: start }
  assert.deepEqual(
    world.rows.aliases,
    ['alias/a', 'alias/b/c_d-1'].map((name) => ({ ...common, name, rowVersion: 1 })),
  )
})

const prefixText =
  'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html'
const refusals: readonly [AliasName: string, code: string, message: string][] = [
  ['my-alias', 'ValidationException', prefixText],
  [aliasArn, 'ValidationException', prefixText],
  [
    'alias/my:alias',
    'ValidationException',
    'alias/my:alias contains invalid characters for an alias',
  ],
  ['alias/', 'InvalidAliasNameException', 'an alias has a name after `alias/`'],
  ['alias/aws/s3', 'NotAuthorizedException', ''],
]

for (const [AliasName, code, message] of refusals) {
  test(`CreateAlias refuses the name ${AliasName}`, async () => {
    const world = createWorld()
    const { keyId: TargetKeyId } = await makeKey(world)
    await assert.rejects(call(world, 'CreateAlias', { AliasName, TargetKeyId }), { code, message })
    assert.deepEqual(world.rows.aliases, [])
  })
}

test('CreateAlias refuses characters that no alias has, with the pattern', async () => {
  const world = createWorld()
  const { keyId: TargetKeyId } = await makeKey(world)
  const outcome = call(world, 'CreateAlias', { AliasName: 'alias/my-alias!', TargetKeyId })
  await assert.rejects(outcome, (error) => {
    assert(error instanceof InputRefused)
    const constraint = { kind: 'pattern', pattern: '^[a-zA-Z0-9:/_-]+$' }
    assert.deepEqual(error.failures, [{ path: 'aliasName', value: 'alias/my-alias!', constraint }])
    return true
  })
})

for (const TargetKeyId of ['alias/other', `arn:aws:kms:${region}:${accountId}:alias/other`]) {
  test(`CreateAlias refuses ${TargetKeyId} as a target`, async () => {
    await assert.rejects(
      call(createWorld(), 'CreateAlias', { AliasName: 'alias/a', TargetKeyId }),
      {
        code: 'ValidationException',
        message: 'Aliases must refer to keys. Not aliases',
      },
    )
  })
}

test('CreateAlias with a name that is taken is an AlreadyExistsException', async () => {
  const world = createWorld()
  const one = await makeKey(world)
  const other = await makeKey(world)
  await call(world, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId: one.keyId })
  for (const { keyId: TargetKeyId } of [one, other]) {
    await assert.rejects(call(world, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId }), {
      code: 'AlreadyExistsException',
      message: `An alias with the name ${aliasArn} already exists`,
    })
  }
  assert.equal(world.rows.aliases.length, 1)
})

test('a key has fifty aliases, and not one more', async () => {
  const world = createWorld()
  const { keyId: TargetKeyId } = await makeKey(world)
  for (let count = 1; count <= 50; count += 1) {
    await call(world, 'CreateAlias', { AliasName: `alias/${count}`, TargetKeyId })
  }
  await assert.rejects(call(world, 'CreateAlias', { AliasName: 'alias/51', TargetKeyId }), {
    code: 'LimitExceededException',
    message: 'Aliases per key quota for this account in this region is 50, current usage is 50.',
  })
  assert.equal(world.rows.aliases.length, 50)
})

test('CreateAlias works on a disabled key and not on one that is to be deleted', async () => {
  const world = createWorld()
  const key = alter(world, await makeKey(world), { state: 'Disabled' })
  await call(world, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId: key.keyId })
  alter(world, key, { state: 'PendingDeletion' })
  await assert.rejects(
    call(world, 'CreateAlias', { AliasName: 'alias/b', TargetKeyId: key.keyId }),
    { code: 'KMSInvalidStateException' },
  )
})
