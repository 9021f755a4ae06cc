/** Rotation of imported keys to material that waits, as often as there may be any. @module */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { RotateKeyOnDemandCommand } from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { asNew, forever, importing } from './importing.ts'
import { rotating } from './rotating.ts'
import { refused } from './sdk.ts'
import { advance } from './test-clock.ts'

const rotationsMax = 25

test('an imported key is rotated twenty-five times and no more, and opens what it ever sealed', async (t) => {
  const server = await startTestServer({ TRENT_TEST_API: 'on' })
  t.after(() => server.stop())
  const kms = server.client()
  const { makeExternal, metadata, parameters, send, take } = importing(kms)
  const { currentOf, opened, rotations, seal } = rotating(kms)
  const KeyId = await makeExternal()
  const by = await parameters(KeyId)
  const materials = Array.from({ length: rotationsMax + 1 }, () => randomBytes(32))
  const rotate = new RotateKeyOnDemandCommand({ KeyId })
  const sealed: (readonly [Uint8Array, string | undefined])[] = []
  for (const [count, material] of materials.entries()) {
    const { KeyMaterialId } = await send(KeyId, material, by, count === 0 ? forever : asNew)
    if (count > 0) {
      await kms.send(rotate)
      await advance(server.url, '1s')
    }
    assert.equal(await currentOf(KeyId), KeyMaterialId)
    sealed.push([await seal(KeyId, String(count)), KeyMaterialId])
  }
  const list = await rotations(KeyId)
  assert.deepEqual(
    list.map(({ KeyMaterialId, RotationType }) => [KeyMaterialId, RotationType]),
    sealed.slice(1).map(([, id]) => [id, 'ON_DEMAND']),
  )

  const arn = (await metadata(KeyId)).Arn
  const none = `No available key material pending rotation for the key: ${arn}.`
  await refused(kms.send(rotate), 'KMSInvalidStateException', none)
  const last = await send(KeyId, randomBytes(32), by, asNew)
  await refused(
    kms.send(rotate),
    'LimitExceededException',
    'The on-demand rotations limit has been reached for the given keyId. ' +
      `No more on-demand rotations can be performed for this key: ${arn}`,
  )
  await advance(server.url, '1s')
  assert.equal((await rotations(KeyId)).length, rotationsMax)
  assert.equal(await currentOf(KeyId), sealed.at(-1)?.[1])
  // What waits for a rotation that cannot come is in nobody's way.
  await take(KeyId, last.KeyMaterialId)
  for (const [count, [blob, id]] of sealed.entries()) {
    assert.deepEqual(await opened(blob), [String(count), id])
  }
})
