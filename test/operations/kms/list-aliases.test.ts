import assert from 'node:assert/strict'
import { test } from 'node:test'
import { managedAliases } from '../../../src/model/managed-key.ts'
import {
  InputRefused,
  accountId,
  call,
  createWorld,
  makeKey,
  region,
  start,
} from './memory-dependencies.ts'

test('ListAliases answers aliases by name, with their keys and dates', async () => {
  const world = createWorld()
  const { keyId: TargetKeyId } = await makeKey(world)
  await call(world, 'CreateAlias', { AliasName: 'alias/b', TargetKeyId })
  await call(world, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId })
  const dates = { CreationDate: new Date(start), LastUpdatedDate: new Date(start) }
  const named = (AliasName: string): object => ({
    AliasName,
    AliasArn: `arn:aws:kms:${region}:${accountId}:${AliasName}`,
  })
  const made = (AliasName: string): object => ({ ...named(AliasName), TargetKeyId, ...dates })
  assert.deepEqual(await call(world, 'ListAliases'), {
    // Between them in byte order are AWS's aliases of every account, which have no target yet.
    Aliases: [made('alias/a'), ...managedAliases.map(named), made('alias/b')],
    Truncated: false,
  })
})

test('ListAliases of a key answers its aliases alone, and its markers are good for that list', async () => {
  const world = createWorld()
  const one = await makeKey(world)
  const other = await makeKey(world)
  for (const [name, key] of [
    ['a', one],
    ['b', other],
    ['c', one],
  ] as const) {
    await call(world, 'CreateAlias', { AliasName: `alias/${name}`, TargetKeyId: key.keyId })
  }
  const KeyId = `arn:aws:kms:${region}:${accountId}:key/${one.keyId}`
  const names = (page: Readonly<Record<string, unknown>>): string[] =>
    (page['Aliases'] as { AliasName: string }[]).map(({ AliasName }) => AliasName)
  const first = await call(world, 'ListAliases', { KeyId, Limit: 1 })
  assert.deepEqual(names(first), ['alias/a'])
  const Marker = first['NextMarker']
  // The key id names the same key, so the marker is valid.
  const second = await call(world, 'ListAliases', { KeyId: one.keyId, Limit: 1, Marker })
  assert.deepEqual([names(second), second['Truncated']], [['alias/c'], false])
  for (const given of [{ Marker }, { KeyId: other.keyId, Marker }]) {
    await assert.rejects(call(world, 'ListAliases', given), { code: 'InvalidMarkerException' })
  }
})

const missing = '00000000-0000-4000-8000-00000000ffff'
const foreign = `arn:aws:kms:${region}:444455556666:key/${missing}`
const refusals: readonly [KeyId: string, code: string, message: string][] = [
  ['alias/a', 'InvalidArnException', 'Key Aliases are not supported for this operation.'],
  ['nonsense', 'NotFoundException', "Invalid keyId 'nonsense'"],
  [
    missing,
    'NotFoundException',
    `Key 'arn:aws:kms:${region}:${accountId}:key/${missing}' does not exist`,
  ],
  [foreign, 'NotFoundException', `Key '${foreign}' does not exist`],
]

for (const [KeyId, code, message] of refusals) {
  test(`ListAliases of ${KeyId} is a ${code}`, async () => {
    await assert.rejects(call(createWorld(), 'ListAliases', { KeyId }), { code, message })
  })
}

test('ListAliases does not see the key of another account, though it is there', async () => {
  const world = createWorld()
  const key = await makeKey(world)
  world.rows.keys = [{ ...key, accountId: '444455556666' }]
  const KeyId = `arn:aws:kms:${region}:444455556666:key/${key.keyId}`
  await assert.rejects(call(world, 'ListAliases', { KeyId }), { code: 'NotFoundException' })
})

test('ListAliases takes a limit of 100 and not of 101', async () => {
  const world = createWorld()
  const { Aliases } = await call(world, 'ListAliases', { Limit: 100 })
  assert.equal((Aliases as readonly unknown[]).length, managedAliases.length)
  await assert.rejects(call(world, 'ListAliases', { Limit: 101 }), (error) => {
    assert(error instanceof InputRefused)
    const constraint = { kind: 'maxValue', limit: 100 }
    assert.deepEqual(error.failures, [{ path: 'limit', value: '101', constraint }])
    return true
  })
})
