/** Grants in the store, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestDigest } from '../../../src/model/grant.ts'
import { StaleRow } from '../../../src/store/store.ts'
import { engines, storeOf } from '../engines.ts'
import {
  accountId,
  insertAccounts,
  insertKeys,
  newGrant,
  newKey,
  otherAccountId,
  otherRegion,
  region,
} from '../records.ts'

const root = `arn:aws:iam::${accountId}:root`
const guest = `arn:aws:iam::${otherAccountId}:root`
const key = { accountId, region, keyId: 'k1' }
const id = (digit: string): string => digit.repeat(64)

for (const { name: engine, open } of engines) {
  test(`${engine}: a grant is read as it was written, and is gone once`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k1'))
    const grants = [
      newGrant(id('a'), 'k1'),
      newGrant(id('b'), 'k1', {
        name: 'n',
        retiringPrincipal: guest,
        retiringId: otherAccountId,
        operations: ['Encrypt', 'CreateGrant'],
        constraints: { EncryptionContextEquals: { 'a\u0000': 'é' }, SourceArn: 'arn' },
      }),
      newGrant(id('c'), 'k1', {
        retiringServicePrincipal: 's3.amazonaws.com',
        constraints: { EncryptionContextSubset: {} },
      }),
    ]
    const { granteePrincipal: _, granteeId: __, ...service } = newGrant(id('d'), 'k1')
    const all = [...grants, { ...service, granteeServicePrincipal: 's3.amazonaws.com' }]
    for (const grant of all) {
      const written = await store.change((transaction) => transaction.insertGrant(grant))
      assert.deepEqual(written, { ...grant, rowVersion: 1 })
      assert.deepEqual(await store.findGrant(grant), written)
    }
    assert.equal(await store.countGrants(key), 4)
    const [first] = await store.listGrants(key, { limit: 1 })
    assert.ok(first)
    await store.change((transaction) => transaction.deleteGrant(first))
    assert.equal(await store.findGrant(first), undefined)
    await assert.rejects(
      store.change((transaction) => transaction.deleteGrant(first)),
      StaleRow,
    )
    assert.equal(await store.countGrants(key), 3)
  })

  test(`${engine}: a grant is found by its grantee, its request and who retires it`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    const places = [{}, { accountId: otherAccountId }, { region: otherRegion }]
    await insertKeys(store, newKey('k2'), ...places.map((place) => newKey('k1', place)))
    const retiring = { retiringPrincipal: root, retiringId: accountId }
    const named = newGrant(id('1'), 'k1', { name: 'n', ...retiring })
    await store.change(async (transaction) => {
      await transaction.insertGrant(named)
      await transaction.insertGrant(newGrant(id('2'), 'k1', { granteePrincipal: guest }))
      await transaction.insertGrant(newGrant(id('3'), 'k2', retiring))
      await transaction.insertGrant(
        newGrant(id('4'), 'k1', { accountId: otherAccountId, ...retiring }),
      )
      await transaction.insertGrant(newGrant(id('5'), 'k1', { region: otherRegion, ...retiring }))
      await transaction.insertGrant(newGrant(id('6'), 'k1', { ...retiring, retiringId: 'gone' }))
    })
    const ids = (grants: readonly { readonly grantId: string }[]): string =>
      grants.map(({ grantId }) => grantId[0]).join('')
    assert.equal(ids(await store.listGrants(key, { limit: 9, grantee: root, fetched: 1 })), '16')
    assert.equal(ids(await store.listGrants(key, { limit: 9, grantee: 'nobody' })), '')
    const some = await store.findGrants(key, [id('2'), id('6'), id('3'), id('9')])
    assert.equal(ids(some.toSorted((a, b) => (a.grantId < b.grantId ? -1 : 1))), '26')
    assert.deepEqual(await store.findGrants(key, []), [])
    const counts = [undefined, root, guest, 'nobody'].map((to) => store.countGrants(key, to))
    assert.deepEqual(await Promise.all(counts), [3, 2, 1, 0])
    assert.equal(ids(await store.listGrants(key, { limit: 9 })), '126')
    assert.equal(ids(await store.listGrants(key, { limit: 9, grantee: guest })), '2')
    const gone = { limit: 9, grantee: root, granteeId: 'gone' }
    assert.equal(ids(await store.listGrants(key, gone)), '')
    assert.equal(ids(await store.listGrants(key, { limit: 1, after: id('1') })), '2')
    const retirable = { limit: 9, retiree: root, retireeId: accountId }
    assert.equal(ids(await store.listRetirableGrants(region, retirable)), '134')
    assert.equal(ids(await store.listRetirableGrants(region, { ...retirable, accountId })), '13')
    assert.equal(ids(await store.listRetirableGrants(otherRegion, retirable)), '5')
    const digest = requestDigest(named)
    assert.equal((await store.findSameGrant(key, digest))?.grantId, id('1'))
    assert.equal(await store.findSameGrant({ ...key, keyId: 'k2' }, digest), undefined)
  })

  test(`${engine}: changes of grants name their key, grant and grantee, and take a number each`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k1'))
    const before = store.epoch()
    const made = await store.change((transaction) =>
      transaction.insertGrant(newGrant(id('a'), 'k1')),
    )
    await store.change((transaction) => transaction.deleteGrant(made))
    const change = { kind: 'grant', accountId, region, id: `k1/${id('a')}/${root}` }
    assert.deepEqual(await store.changesSince(before), [
      { seq: before + 1, ...change },
      { seq: before + 2, ...change },
    ])
  })

  test(`${engine}: a grant cannot be written for a key that is not there`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    await insertAccounts(store)
    await assert.rejects(
      store.change((transaction) => transaction.insertGrant(newGrant(id('a'), 'absent'))),
    )
  })
}

test('requests differ by everything that they ask for, and by no order', () => {
  const grant = newGrant(id('a'), 'k1', {
    name: 'n',
    operations: ['Encrypt', 'Decrypt'],
    constraints: { EncryptionContextEquals: { a: '1', b: '2' } },
  })
  const digest = requestDigest(grant)
  assert.match(digest, /^[0-9a-f]{64}$/)
  const same = {
    ...grant,
    grantId: id('b'),
    createdAt: 9,
    operations: ['Decrypt', 'Encrypt'] as const,
    constraints: { EncryptionContextEquals: { b: '2', a: '1' } },
  }
  assert.equal(requestDigest(same), digest)
  const others = [
    { name: 'm' },
    { granteePrincipal: guest },
    { granteeId: 'x' },
    { retiringPrincipal: root },
    { retiringServicePrincipal: 's3.amazonaws.com' },
    { issuingAccountId: otherAccountId },
    { operations: ['Encrypt'] as const },
    { constraints: {} },
    { constraints: { EncryptionContextSubset: { a: '1', b: '2' } } },
    { constraints: { EncryptionContextEquals: { a: '1', b: '3' } } },
    { constraints: { EncryptionContextEquals: { a: '1', b: '2' }, SourceArn: 'x' } },
  ].map((change) => requestDigest({ ...grant, ...change }))
  assert.equal(new Set([digest, ...others]).size, others.length + 1)
})
