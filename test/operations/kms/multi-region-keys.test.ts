/** Multi-Region keys that CreateKey creates. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyMetadata } from '@aws-sdk/client-kms'
import { algorithmNames, keySpecs } from '../../../src/crypto/key-specs.ts'
import type { KeySpec } from '../../../src/model/key.ts'
import { accountId, call, createWorld, makeKey, region } from './memory-dependencies.ts'

test('CreateKey of a multi-Region key makes a primary key that has no replicas', async () => {
  const world = createWorld()
  const { KeyMetadata } = await call(world, 'CreateKey', { MultiRegion: true })
  const KeyId = 'mrk-00000000000040008000000000000001'
  const Arn = `arn:aws:kms:${region}:${accountId}:key/${KeyId}`
  const [key] = world.rows.keys
  const { Arn: told, MultiRegion, MultiRegionConfiguration } = KeyMetadata as KeyMetadata
  assert.deepEqual([told, MultiRegion], [Arn, true])
  assert.deepEqual(MultiRegionConfiguration, {
    MultiRegionKeyType: 'PRIMARY',
    PrimaryKey: { Arn, Region: region },
    ReplicaKeys: [],
  })
  assert.equal(key?.primaryRegion, region)
})

const usages = [
  'ENCRYPT_DECRYPT',
  'SIGN_VERIFY',
  'GENERATE_VERIFY_MAC',
  'KEY_AGREEMENT',
  'ENCAPSULATE_DECAPSULATE',
] as const

for (const spec of Object.keys(keySpecs) as KeySpec[]) {
  test(`CreateKey makes multi-Region keys of ${spec}`, async () => {
    const world = createWorld()
    for (const usage of usages.filter((each) => algorithmNames(spec, each).length > 0)) {
      const given = { KeySpec: spec, KeyUsage: usage, MultiRegion: true }
      const key = await makeKey(world, given)
      assert.deepEqual([key.primaryRegion, key.spec, key.usage], [region, spec, usage])
    }
  })
}
