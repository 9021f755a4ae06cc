import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { canonicalRow } from '../../src/crypto/canonical.ts'
import { NotAuthentic } from '../../src/crypto/keyring.ts'
import { keyMaterialId } from '../../src/crypto/key-material-id.ts'
import { openMaterial, wrapMaterial } from '../../src/crypto/material.ts'
import type { MaterialPlace } from '../../src/crypto/material.ts'
import type { MaterialRecord } from '../../src/model/key.ts'
import { flipped, testKeyring } from './fixed.ts'

const place: MaterialPlace = {
  accountId: '000000000000',
  region: 'us-west-2',
  keyId: 'a-key',
  spec: 'SYMMETRIC_DEFAULT',
  usage: 'ENCRYPT_DECRYPT',
  origin: 'AWS_KMS',
  createdAt: 0,
}
const bytes = Buffer.alloc(32, 5)

test('wrapped material opens to the same key', () => {
  const keyring = testKeyring()
  const record = wrapMaterial(keyring, place, bytes)
  assert.match(record.materialId, /^[0-9a-f]{64}$/)
  assert.equal(record.wrapped.length, 60)
  assert.ok(openMaterial(keyring, record).equals(createSecretKey(bytes)))
})

test('material does not open when any member that is bound to it is changed', () => {
  const keyring = testKeyring([1, 2])
  const record = wrapMaterial(keyring, place, bytes)
  const changes: Partial<MaterialRecord>[] = [
    { accountId: '000000000001' },
    { region: 'us-east-1' },
    { keyId: 'another-key' },
    { materialId: '0'.repeat(64) },
    { spec: 'HMAC_256' },
    { usage: 'GENERATE_VERIFY_MAC' },
    { origin: 'EXTERNAL' },
    { wrappingVersion: 1 },
    { wrappingVersion: 9 },
    { wrapped: flipped(record.wrapped, 20) },
  ]
  for (const change of changes) {
    const changed = { ...record, ...change }
    assert.throws(() => openMaterial(keyring, changed), NotAuthentic, Object.keys(change).join())
  }
})

test('material that its id does not name is refused, however well it is wrapped', () => {
  const keyring = testKeyring()
  const { createdAt, ...bound } = place
  const materialId = '1'.repeat(64)
  const aad = canonicalRow('key_materials', {
    account_id: bound.accountId,
    region: bound.region,
    key_id: bound.keyId,
    material_id: materialId,
    spec: bound.spec,
    usage: bound.usage,
    origin: bound.origin,
  })
  const { version, wrapped } = keyring.wrap('key-material', aad, bytes)
  const forged = { ...bound, createdAt, materialId, wrappingVersion: version, wrapped }
  // The wrapping itself is sound: it is the id that gives it away.
  assert.deepEqual(keyring.unwrap('key-material', version, aad, wrapped), bytes)
  assert.throws(() => openMaterial(keyring, forged), /not the one that its id names/)
})

test('material of a length that its spec does not have is not wrapped', () => {
  const keyring = testKeyring()
  for (const length of [0, 31, 33]) {
    assert.throws(() => wrapMaterial(keyring, place, Buffer.alloc(length)), RangeError)
  }
  const mac = { ...place, spec: 'HMAC_224', usage: 'GENERATE_VERIFY_MAC' } as const
  assert.throws(() => wrapMaterial(keyring, mac, Buffer.alloc(27)), RangeError)
  assert.ok(wrapMaterial(keyring, mac, Buffer.alloc(28)))
})

test('the id commits to material, account and key, and to where one ends and the next begins', () => {
  const id = (fill: number, accountId: string, keyId: string): string => {
    const material = createSecretKey(Buffer.alloc(32, fill))
    return keyMaterialId(material, { accountId, keyId }).toString('hex')
  }
  const ids = [id(1, 'a', 'bc'), id(1, 'ab', 'c'), id(1, 'abc', ''), id(2, 'a', 'bc')]
  assert.equal(new Set(ids).size, ids.length)
  assert.equal(ids[0], id(1, 'a', 'bc'))
})
