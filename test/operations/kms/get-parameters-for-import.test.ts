import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canWrap } from '../../../src/crypto/key-specs.ts'
import type { KeySpec } from '../../../src/model/key.ts'
import {
  call,
  createWorld,
  InputRefused,
  start,
  type Answer,
  type World,
} from './memory-dependencies.ts'
import { makeImported, testStates } from './imported-keys.ts'
import { arnOf, dayMs } from './rotatable-keys.ts'

const algorithms = [
  'RSAES_PKCS1_V1_5',
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
] as const
const sizes = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const
const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const

const get = (world: World, KeyId: string, input: Answer = wrapping): Promise<Answer> =>
  call(world, 'GetParametersForImport', { KeyId, ...input })

test('GetParametersForImport answers the wrapping key, the token and until when they hold', async () => {
  const world = createWorld()
  const { keyId: KeyId } = await makeImported(world)
  const { ImportToken, PublicKey, ...rest } = await get(world, KeyId)
  assert.deepEqual(rest, { KeyId: arnOf(KeyId), ParametersValidTo: new Date(start + dayMs) })
  assert.equal(String(PublicKey), 'RSAES_OAEP_SHA_256 RSA_2048')
  assert(ImportToken instanceof Uint8Array)
  assert.equal(world.commits, 1) // the key's own
})

const specs: readonly KeySpec[] = ['SYMMETRIC_DEFAULT', 'HMAC_224', 'RSA_2048', 'ECC_NIST_P256']
for (const spec of specs) {
  test(`GetParametersForImport of ${spec} takes what can wrap it, and says what cannot`, async () => {
    const world = createWorld()
    const { keyId: KeyId } = await makeImported(world, spec)
    for (const WrappingAlgorithm of algorithms) {
      for (const WrappingKeySpec of sizes) {
        const outcome = get(world, KeyId, { WrappingAlgorithm, WrappingKeySpec })
        if (canWrap(WrappingAlgorithm, WrappingKeySpec, spec)) await outcome
        else {
          await assert.rejects(outcome, {
            code: 'ValidationException',
            message:
              `Wrapping algorithm ${WrappingAlgorithm} and wrapping key spec ${WrappingKeySpec} ` +
              `cannot be used to import a ${spec} key.`,
          })
        }
      }
    }
  })
}

for (const input of [
  { ...wrapping, WrappingAlgorithm: 'SM2PKE' },
  { ...wrapping, WrappingKeySpec: 'SM2' },
  { WrappingAlgorithm: 'SM2PKE', WrappingKeySpec: 'SM2' },
]) {
  test(`GetParametersForImport by ${Object.values(input).join(' under ')} is unsupported`, async () => {
    const world = createWorld()
    const { keyId } = await makeImported(world)
    await assert.rejects(get(world, keyId, input), {
      code: 'UnsupportedOperationException',
      message: 'WrappingAlgorithm SM2PKE is not supported in this Region',
    })
  })
}

test('GetParametersForImport needs to know how it is to be wrapped, in words that there are', async () => {
  const world = createWorld()
  const { keyId } = await makeImported(world)
  for (const input of [{}, { ...wrapping, WrappingKeySpec: 'RSA_1024' }]) {
    await assert.rejects(get(world, keyId, input), InputRefused)
  }
})

testStates(
  'GetParametersForImport',
  ['Creating', 'PendingDeletion', 'PendingReplicaDeletion', 'Unavailable', 'Updating'],
  (world, { keyId }) => get(world, keyId),
)
