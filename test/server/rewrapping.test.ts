/** Rows that an older domain key protects get under the newest one, on every engine. @module */
import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { keyringOf } from '../../src/crypto/domain-keys.ts'
import { openProxySecret, wrapStoreSecret } from '../../src/crypto/key-store-secret.ts'
import { openMaterial, wrapMaterial } from '../../src/crypto/material.ts'
import { makeProxyCredential, openProxyCredential } from '../../src/crypto/proxy-credential.ts'
import { openSigningSecret, wrapSecret } from '../../src/crypto/secrets.ts'
import type { AnyServiceEvent, ServiceChanges } from '../../src/lifecycle/service-changes.ts'
import { createRewrapping } from '../../src/server/rewrapping.ts'
import { createStore } from '../../src/store/bound-store.ts'
import type { Database } from '../../src/store/database.ts'
import { everyTable } from '../../src/store/schema/schema.ts'
import type { Table } from '../../src/store/schema/table.ts'
import { realRandom } from '../crypto/fixed.ts'
import { engines, type TestedEngine } from '../store/engines.ts'
import {
  accountId,
  insertAccounts,
  newAccessKey,
  newAlias,
  newKey,
  newKeyStore,
  newServedProxy,
  proxyId,
  region,
  storeId,
} from '../store/records.ts'

const log = { info: () => undefined, warn: assert.fail }
const domainKey = (version: number) => ({ version, key: createSecretKey(randomBytes(32)) })
const accessKeyId = 'ABCDEFGHIJKLMNOPQRST'
const place = { accountId, region, storeId }
const owner = {
  accessKeyId: 'AKIA1',
  accountId,
  principalKind: 'root',
  principalId: accountId,
} as const

async function opened(t: TestContext, { open }: TestedEngine) {
  const { database } = await open(t)
  const keyring = keyringOf('deployment', [domainKey(1)], realRandom)
  const forged: string[] = []
  const onForgedRow = (table: string, id: string): number => forged.push(`${table}/${id}`)
  const store = createStore(database, keyring, { onForgedRow })
  await insertAccounts(store)
  const material = wrapMaterial(
    keyring,
    {
      accountId,
      region,
      keyId: 'k1',
      spec: 'SYMMETRIC_DEFAULT',
      usage: 'ENCRYPT_DECRYPT',
      origin: 'AWS_KMS',
      createdAt: 1,
    },
    randomBytes(32),
  )
  let credentialSecret = ''
  await store.change(async (transaction) => {
    await transaction.insertKey(newKey('k1'))
    await transaction.insertAlias(newAlias('alias/a', 'k1'))
    await transaction.insertMaterial(material)
    const secret = wrapSecret(keyring, owner, Buffer.from('secret'))
    await transaction.insertAccessKey(newAccessKey('AKIA1', secret))
    const storeSecret = wrapStoreSecret(keyring, place, accessKeyId, Buffer.from('proxy secret'))
    await transaction.insertKeyStore(newKeyStore(storeSecret))
    await transaction.insertServedProxy(newServedProxy())
    const made = makeProxyCredential(keyring, realRandom, { proxyId, accountId, region })
    await transaction.insertProxyCredential({ ...made.record, createdAt: 1 })
    credentialSecret = made.plaintextSecret
  })
  const events: AnyServiceEvent[] = []
  const changes: ServiceChanges = {
    async commit(work) {
      const before = store.epoch()
      const made = await store.change(work)
      // A record for each change that takes a number, and none without.
      assert.equal(made.length, store.epoch() - before)
      events.push(...made)
    },
  }
  const rewrapping = createRewrapping({
    changes,
    place: { accountId, region },
    keyring,
    lease: { take: async () => true, release: async () => true },
    log,
  })
  const { materialId } = material
  const world = { events, database, keyring, store, forged, rewrapping }
  return { ...world, materialId, credentialSecret }
}

/** Forges one row: its tag no longer matches. */
async function forge({ query }: Database): Promise<void> {
  await query.updateTable('aliases').set({ created_at: 99 }).execute()
}

for (const engine of engines) {
  test(`${engine.name}: all that a domain key protects moves, and its secrets stay the same`, async (t) => {
    const { keyring, store, rewrapping, forged, materialId, events, credentialSecret } =
      await opened(t, engine)
    assert.equal(await rewrapping.passAtOnce(), 0)
    keyring.learn(domainKey(2))
    assert.equal(await rewrapping.passAtOnce(), 0)
    keyring.turn()
    assert.ok((await rewrapping.passAtOnce()) >= 6)
    assert.deepEqual(
      events.map((event) => [event.eventName, event.details?.['table'], event.details?.['rows']]),
      ['access_keys', 'custom_key_stores', 'proxy_credentials', 'key_materials'].map((table) => [
        'RewrapData',
        table,
        1,
      ]),
    )
    // The log of changes of the pass itself is under the newest key already.
    assert.equal(await rewrapping.passAtOnce(), 0)
    keyring.forgetBefore(keyring.newestVersion)
    const material = await store.findMaterial(materialId)
    assert.ok(material)
    assert.equal(material.wrappingVersion, 2)
    assert.equal(openMaterial(keyring, material).symmetricKeySize, 32)
    const accessKey = await store.findAccessKey('AKIA1')
    assert.ok(accessKey)
    assert.equal(openSigningSecret(keyring, accessKey).export().toString(), 'AWS4secret')
    const keyStore = await store.findKeyStore(place)
    assert.ok(keyStore)
    const signing = openProxySecret(keyring, keyStore, accessKeyId)
    assert.equal(signing.export().toString(), 'AWS4proxy secret')
    const [credential] = await store.listProxyCredentials({ proxyId })
    assert.ok(credential)
    const ofClient = openProxyCredential(keyring, credential)
    assert.equal(ofClient.export().toString(), `AWS4${credentialSecret}`)
    assert.ok(await store.findKey({ accountId, region, keyId: 'k1' }))
    assert.deepEqual(forged, [])
  })

  test(`${engine.name}: a pass that a stop cuts short proves nothing`, async (t) => {
    const { keyring, rewrapping } = await opened(t, engine)
    keyring.learn(domainKey(2))
    keyring.turn()
    await rewrapping.close()
    await assert.rejects(rewrapping.passAtOnce(), { name: 'AbortError' })
  })

  test(`${engine.name}: a forged row never becomes genuine, and does not hold up the rest`, async (t) => {
    const { database, keyring, store, rewrapping, forged } = await opened(t, engine)
    await forge(database)
    keyring.learn(domainKey(2))
    keyring.turn()
    await rewrapping.passAtOnce()
    assert.equal(await rewrapping.passAtOnce(), 0)
    assert.equal(await store.findAlias({ accountId, region, name: 'alias/a' }), undefined)
    assert.ok(forged.length >= 2)
    keyring.forgetBefore(keyring.newestVersion)
    assert.equal(await store.findAlias({ accountId, region, name: 'alias/a' }), undefined)
  })
}

test('every table that wraps bytes is one that is known to be wrapped anew', () => {
  const wrapping = everyTable
    .filter(({ columns }: Table) => 'wrapping_version' in columns)
    .map(({ name }) => name)
  // A new table needs a function in `Rewrap`, or the bytes stay under the former root key.
  assert.deepEqual(wrapping.toSorted(), [
    'access_keys',
    'custom_key_stores',
    'deleted_materials',
    'digest_keys',
    'key_materials',
    'proxy_credentials',
    'services',
  ])
})
