/** Import tokens of the built-in store: what they open, for whom, and until when. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { createSlowLane } from '../../../src/crypto/slow-lane.ts'
import { openMaterial } from '../../../src/crypto/material.ts'
import type { Keyring } from '../../../src/crypto/keyring.ts'
import { importMethods } from '../../../src/keystores/builtin/builtin-imports.ts'
import type { KeyRecord } from '../../../src/model/key.ts'
import { flipped, testKeyring } from '../../crypto/fixed.ts'
import { wrapped } from '../../crypto/wrapped.ts'

const signal = new AbortController().signal
const lane = createSlowLane({ queueMax: 64 })
after(() => lane.close())

const start = 1_750_000_000_000
const dayMs = 86_400_000
const wrapping = { algorithm: 'RSAES_OAEP_SHA_256', keySpec: 'RSA_2048' } as const

const key: KeyRecord = {
  accountId: '111122223333',
  region: 'us-west-2',
  keyId: 'k',
  spec: 'SYMMETRIC_DEFAULT',
  usage: 'ENCRYPT_DECRYPT',
  origin: 'EXTERNAL',
  createdAt: 1,
  manager: 'CUSTOMER',
  state: 'PendingImport',
  description: '',
  policy: '',
  policyPrincipals: {},
  tags: [],
  rowVersion: 1,
}

interface Bench extends ReturnType<typeof importMethods> {
  now: number
  readonly keyring: Keyring
}

function bench(keyring: Keyring = testKeyring()): Bench {
  const world = { now: start }
  const clock = { now: () => world.now, system: () => 0 }
  const methods = importMethods({ keyring, clock, primeLane: lane, slowLane: lane })
  return Object.assign(world, methods, { keyring })
}

test('material opens by the token that came with its wrapping key, also behind a later one', async () => {
  const store = bench()
  const first = await store.importParameters(key, wrapping, signal)
  assert.equal(first.validTo, start + dayMs)
  const second = await store.importParameters(key, { ...wrapping, keySpec: 'RSA_3072' }, signal)
  const material = randomBytes(32)
  const ids = []
  for (const { publicKey, token } of [first, second, first]) {
    const sent = wrapped(publicKey, wrapping.algorithm, material)
    const record = await store.importMaterial(key, token, sent, signal)
    const { accountId, region, keyId, spec, usage, origin } = record
    assert.deepEqual({ ...key, accountId, region, keyId, spec, usage, origin }, key)
    assert.equal(record.createdAt, start)
    assert.deepEqual(openMaterial(store.keyring, record).export(), material)
    ids.push(record.materialId)
  }
  assert.equal(new Set(ids).size, 1)
  // Each token goes with its own key.
  const crossed = wrapped(first.publicKey, wrapping.algorithm, material)
  await assert.rejects(store.importMaterial(key, second.token, crossed, signal), {
    code: 'InvalidCiphertextException',
    message: '',
  })
})

test('a token fits into the API with the largest wrapping key, and says nothing', async () => {
  const store = bench()
  const largest = { algorithm: 'RSA_AES_KEY_WRAP_SHA_256', keySpec: 'RSA_4096' } as const
  const { publicKey, token } = await store.importParameters(key, largest, signal)
  assert(token.length <= 6144 && publicKey.length <= 4096)
  assert(!Buffer.from(token).includes('RSA_AES'))
})

test('a token is of just one key, in one Region, of one deployment, and no other bit', async () => {
  const store = bench()
  const { publicKey, token } = await store.importParameters(key, wrapping, signal)
  const sent = wrapped(publicKey, wrapping.algorithm, randomBytes(32))
  const invalid = { code: 'InvalidImportTokenException', message: '' }
  const refuse = (of: KeyRecord, given: Uint8Array, by = store): Promise<void> =>
    assert.rejects(by.importMaterial(of, given, sent, signal), invalid)
  await refuse({ ...key, keyId: 'l' }, token)
  await refuse({ ...key, region: 'eu-north-1' }, token)
  await refuse({ ...key, accountId: '444455556666' }, token)
  await refuse(key, token, bench())
  for (const at of [0, 1, 4, 5, 20, 21, token.length >> 1, token.length - 1]) {
    await refuse(key, flipped(token, at))
  }
  for (const length of [0, 1, 36, token.length - 1]) await refuse(key, token.subarray(0, length))
  await refuse(key, Buffer.concat([token, Buffer.of(0)]))
  await refuse(key, randomBytes(6144))
  const marker = store.keyring.sealToken('marker', '111122223333/us-west-2/k', randomBytes(1300))
  await refuse(key, Buffer.from(marker, 'base64url'))
})

test('a token holds for 24 hours', async () => {
  const store = bench()
  const { publicKey, token } = await store.importParameters(key, wrapping, signal)
  const sent = wrapped(publicKey, wrapping.algorithm, randomBytes(32))
  store.now = start + dayMs - 1
  assert.equal((await store.importMaterial(key, token, sent, signal)).createdAt, store.now)
  store.now = start + dayMs
  await assert.rejects(store.importMaterial(key, token, sent, signal), {
    code: 'ExpiredImportTokenException',
    message: /^The request was rejected because the specified import token is expired\./,
  })
})
