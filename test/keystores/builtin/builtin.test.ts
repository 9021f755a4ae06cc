import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSlowLane } from '../../../src/crypto/slow-lane.ts'
import { createBuiltinKeyStore } from '../../../src/keystores/builtin/builtin.ts'
import type {
  BuiltinKeyStore,
  BuiltinDependencies,
} from '../../../src/keystores/builtin/builtin.ts'
import type { NewMaterial } from '../../../src/keystores/keystore.ts'
import type { Clock } from '../../../src/model/clock.ts'
import type { KeyRecord, MaterialRecord } from '../../../src/model/key.ts'
import { flipped, realRandom, testKeyring } from '../../crypto/fixed.ts'

const clock: Clock = { now: () => 0, system: () => 0 }
const signal = new AbortController().signal
const invalid = {
  name: 'InvalidCiphertextException',
  code: 'InvalidCiphertextException',
  message: '',
}
const incorrect = {
  code: 'IncorrectKeyException',
  message: 'The key ID in the request does not identify a CMK that can perform this operation.',
}
const unavailable = { code: 'KeyUnavailableException' }

const place: NewMaterial = {
  accountId: '000000000000',
  region: 'us-west-2',
  keyId: 'key-1',
  spec: 'SYMMETRIC_DEFAULT',
  usage: 'ENCRYPT_DECRYPT',
  origin: 'AWS_KMS',
  createdAt: 1,
}

function keyOf(material: MaterialRecord, changes: Partial<KeyRecord> = {}): KeyRecord {
  const { accountId, region, keyId, spec, usage, origin, createdAt } = material
  return {
    accountId,
    region,
    keyId,
    spec,
    usage,
    origin,
    createdAt,
    manager: 'CUSTOMER',
    state: 'Enabled',
    description: '',
    currentMaterialId: material.materialId,
    policy: '',
    policyPrincipals: {},
    tags: [],
    rowVersion: 1,
    ...changes,
  }
}

interface Bench {
  readonly store: BuiltinKeyStore
  readonly rows: Map<string, MaterialRecord>
  readonly forged: string[]
  readonly loads: () => number
  readonly newKey: (keyId?: string) => Promise<KeyRecord>
}

function bench(changes: Partial<BuiltinDependencies> = {}): Bench {
  const rows = new Map<string, MaterialRecord>()
  const forged: string[] = []
  let loads = 0
  const store = createBuiltinKeyStore({
    keyring: testKeyring(),
    findMaterial: async (materialId) => {
      loads += 1
      return rows.get(materialId)
    },
    random: realRandom,
    clock,
    onForgedMaterial: (materialId) => forged.push(materialId),
    ...changes,
  })
  const newKey = async (keyId = 'key-1'): Promise<KeyRecord> => {
    const material = await store.createMaterial({ ...place, keyId }, signal)
    rows.set(material.materialId, material)
    return keyOf(material)
  }
  return { store, rows, forged, loads: () => loads, newKey }
}

test('what was encrypted decrypts, and names its material', async () => {
  const { store, newKey } = bench()
  const key = await newKey()
  for (const kind of ['ciphertext', 'data-key'] as const) {
    const sealed = await store.encrypt(key, Buffer.from('text'), { a: 'b' }, kind, signal)
    assert.equal(sealed.materialId, key.currentMaterialId)
    const opened = await store.decrypt(key, sealed.ciphertext, { a: 'b' }, signal)
    assert.equal(opened.plaintext.toString(), 'text')
    assert.equal(opened.materialId, key.currentMaterialId)
  }
})

test('the material is loaded once for all who ask at once, and kept', async () => {
  const { store, newKey, loads } = bench()
  const key = await newKey()
  const calls = [1, 2, 3].map(async () =>
    store.encrypt(key, Buffer.alloc(1), {}, 'ciphertext', signal),
  )
  await Promise.all(calls)
  await store.encrypt(key, Buffer.alloc(1), {}, 'ciphertext', signal)
  assert.equal(loads(), 1)
  store.forget(key.currentMaterialId)
  await store.encrypt(key, Buffer.alloc(1), {}, 'ciphertext', signal)
  assert.equal(loads(), 2)
})

test('a ciphertext of an older material of the key decrypts', async () => {
  const { store, newKey } = bench()
  const [older, newer] = [await newKey(), await newKey()]
  const { ciphertext } = await store.encrypt(older, Buffer.alloc(1), {}, 'ciphertext', signal)
  const opened = await store.decrypt(newer, ciphertext, {}, signal)
  assert.equal(opened.materialId, older.currentMaterialId)
})

test('a replica in another Region opens what the primary sealed', async () => {
  const { store, newKey } = bench()
  const primary = await newKey('mrk-1')
  const { ciphertext } = await store.encrypt(primary, Buffer.alloc(1), {}, 'ciphertext', signal)
  const replica = { ...primary, region: 'eu-west-1' }
  assert.equal((await store.decrypt(replica, ciphertext, {}, signal)).plaintext.length, 1)
})

test('every failure to open is InvalidCiphertextException without a message', async () => {
  const { store, newKey } = bench()
  const key = await newKey()
  const { ciphertext } = await store.encrypt(key, Buffer.alloc(32), { a: 'b' }, 'data-key', signal)
  const attempts: [Uint8Array, Record<string, string>][] = [
    [Buffer.alloc(0), { a: 'b' }],
    [Buffer.alloc(6144, 1), { a: 'b' }],
    [ciphertext.subarray(1), { a: 'b' }],
    [ciphertext, {}],
    [ciphertext, { a: 'c' }],
    [ciphertext, { A: 'b' }],
    [ciphertext, { a: 'b', c: 'd' }],
    [ciphertext, { a: '\ud800' }],
  ]
  for (const [bytes, context] of attempts) {
    await assert.rejects(async () => store.decrypt(key, bytes, context, signal), invalid)
  }
  for (let index = 0; index < ciphertext.length; index += 1) {
    if (index >= 5 && index < 37) continue
    const bytes = flipped(ciphertext, index)
    await assert.rejects(
      async () => store.decrypt(key, bytes, { a: 'b' }, signal),
      invalid,
      `byte ${index}`,
    )
  }
})

test('a ciphertext of another key, account or unknown material is IncorrectKeyException', async () => {
  const { store, newKey } = bench()
  const [key, other] = [await newKey(), await newKey('key-2')]
  const { ciphertext } = await store.encrypt(other, Buffer.alloc(32), {}, 'ciphertext', signal)
  await assert.rejects(async () => store.decrypt(key, ciphertext, {}, signal), incorrect)
  const elsewhere = { ...other, accountId: '000000000001' }
  await assert.rejects(async () => store.decrypt(elsewhere, ciphertext, {}, signal), incorrect)
  for (let index = 5; index < 37; index += 1) {
    const bytes = flipped(ciphertext, index)
    await assert.rejects(async () => store.decrypt(other, bytes, {}, signal), incorrect)
  }
  assert.ok(await store.decrypt(other, ciphertext, {}, signal))
})

test('a key whose material is absent, or is not its own, is KeyUnavailableException', async () => {
  const { store, newKey } = bench()
  const [key, other] = [await newKey(), await newKey('key-2')]
  const encrypt = (record: KeyRecord) =>
    store.encrypt(record, Buffer.alloc(1), {}, 'ciphertext', signal)
  const { currentMaterialId: foreign = '', ...without } = other
  await assert.rejects(async () => encrypt(without), unavailable)
  await assert.rejects(
    async () => encrypt({ ...key, currentMaterialId: '0'.repeat(64) }),
    unavailable,
  )
  await assert.rejects(async () => encrypt({ ...key, currentMaterialId: foreign }), unavailable)
  assert.ok(await encrypt(key))
})

test('a forged row is KeyUnavailableException and an alarm, and opens nothing', async () => {
  const { store, newKey, rows, forged } = bench()
  const [key, other] = [await newKey(), await newKey('key-2')]
  const [own, theirs] = [key.currentMaterialId ?? '', other.currentMaterialId ?? '']
  const record = rows.get(own) ?? assert.fail()
  const another = rows.get(theirs) ?? assert.fail()
  // Another key's row under this id, and this key's row made to say that it is the other's.
  for (const row of [
    another,
    { ...record, keyId: 'key-2' },
    { ...record, wrapped: another.wrapped },
  ]) {
    rows.set(own, row)
    const call = store.encrypt(key, Buffer.alloc(1), {}, 'ciphertext', signal)
    await assert.rejects(async () => call, unavailable)
  }
  assert.deepEqual(forged, [own, own, own])
})

test('a database out of reach is KeyUnavailableException, and is asked again', async () => {
  let broken = true
  const rows = new Map<string, MaterialRecord>()
  const { store } = bench({
    findMaterial: async (materialId) => {
      if (broken) throw new Error('no database')
      return rows.get(materialId)
    },
  })
  const material = await store.createMaterial(place, signal)
  rows.set(material.materialId, material)
  const encrypt = () => store.encrypt(keyOf(material), Buffer.alloc(1), {}, 'ciphertext', signal)
  await assert.rejects(async () => encrypt(), unavailable)
  broken = false
  assert.ok(await encrypt())
})

test('a context without a UTF-8 form is not encrypted under', async () => {
  const { store, newKey } = bench()
  const key = await newKey()
  const call = async () =>
    store.encrypt(key, Buffer.alloc(1), { a: '\ud800' }, 'ciphertext', signal)
  await assert.rejects(call, { code: 'ValidationException' })
})

test('a call that is cancelled is let go, and the load it waited for serves the others', async () => {
  const { promise, resolve } = Promise.withResolvers<MaterialRecord>()
  const { store } = bench({ findMaterial: () => promise })
  const material = await store.createMaterial(place, signal)
  const key = keyOf(material)
  const leaving = new AbortController()
  const encrypt = (until: AbortSignal) =>
    store.encrypt(key, Buffer.alloc(1), {}, 'ciphertext', until)
  const [first, second] = [encrypt(leaving.signal), encrypt(signal)]
  leaving.abort()
  await assert.rejects(async () => first, { name: 'AbortError' })
  resolve(material)
  assert.ok(await second)
  const gone = AbortSignal.abort()
  const aborted = { name: 'AbortError' }
  await assert.rejects(store.createMaterial(place, gone), aborted)
  await assert.rejects(async () => encrypt(gone), aborted)
  await assert.rejects(async () => store.decrypt(key, Buffer.alloc(184), {}, gone), aborted)
  await assert.rejects(async () => store.random(1, gone), aborted)
})

test('random gives 1 to 1024 bytes', async () => {
  const { store } = bench()
  assert.equal((await store.random(1024, signal)).length, 1024)
  assert.notDeepEqual(await store.random(16, signal), await store.random(16, signal))
  for (const length of [0, 1025, 1.5])
    await assert.rejects(async () => store.random(length, signal), RangeError)
})

test('material of other specs is made too, and symmetric use of it is refused', async () => {
  const slowLane = createSlowLane({ queueMax: 1 })
  const { store, rows } = bench({ slowLane })
  const wanted = [
    { spec: 'HMAC_384', usage: 'GENERATE_VERIFY_MAC' },
    { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' },
  ] as const
  for (const { spec, usage } of wanted) {
    const material = await store.createMaterial({ ...place, spec, usage }, signal)
    rows.set(material.materialId, material)
    const key = keyOf(material)
    const call = async () => store.encrypt(key, Buffer.alloc(1), {}, 'ciphertext', signal)
    await assert.rejects(call, {
      name: 'TypeError',
      message: `${spec} is not symmetric`,
    })
  }
  await slowLane.close()
})

test('material of an origin that is not generated here is not made', async () => {
  const { store } = bench()
  await assert.rejects(store.createMaterial({ ...place, origin: 'EXTERNAL' }, signal), RangeError)
})

test('a bounded number of materials is open at once', async () => {
  const { store, newKey, loads } = bench({ handles: { max: 2, idleMs: 1000 } })
  const keys = [await newKey('1'), await newKey('2'), await newKey('3')]
  for (const key of [...keys, ...keys]) {
    await store.encrypt(key, Buffer.alloc(1), {}, 'ciphertext', signal)
  }
  assert.equal(loads(), 6)
})

test('given material is accepted if it is of its spec, and keeps its id', async () => {
  const slowLane = createSlowLane({ queueMax: 1 })
  const { store } = bench({ slowLane })
  const adopt = (bytes: Uint8Array) => store.adoptMaterial(place, bytes, signal)
  const chosen = Buffer.alloc(32, 7)
  const [one, other] = [await adopt(chosen), await adopt(chosen)]
  assert.equal(one.materialId, other.materialId)
  assert.notDeepEqual(one.wrapped, other.wrapped)
  assert.deepEqual(chosen, Buffer.alloc(32, 7), 'the caller’s bytes stay the caller’s')
  assert.notEqual((await adopt(Buffer.alloc(32, 8))).materialId, one.materialId)
  for (const length of [0, 31, 33]) {
    await assert.rejects(adopt(Buffer.alloc(length)), {
      code: 'ValidationException',
      message: 'is not material of SYMMETRIC_DEFAULT: 32 bytes are needed',
    })
  }
  await slowLane.close()
})
