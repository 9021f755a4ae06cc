/** The buckets of grants in the store, on every engine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bucketsAsked } from '../../../src/model/grant-buckets.ts'
import { askedTerms, type GrantQuestion } from '../../../src/model/grant-terms.ts'
import type { Store } from '../../../src/store/store.ts'
import type { NewGrant } from '../../../src/store/tables/grant-rows.ts'
import { engines, storeOf } from '../engines.ts'
import { accountId, insertAccounts, insertKeys, newGrant, newKey, region } from '../records.ts'

const root = `arn:aws:iam::${accountId}:root`
const key = { accountId, region, keyId: 'k1' }
const id = (digit: string): string => digit.repeat(64)

async function proposed(store: Store, question: GrantQuestion, limit = 9): Promise<string> {
  const asked = askedTerms(question)
  assert.ok(asked)
  const places = [...bucketsAsked(root, accountId, asked)].map((bucket) => ({ bucket, after: '' }))
  const rows = await store.grantsInBuckets(key, places, limit)
  return rows
    .map(({ grant }) => grant?.grantId[0] ?? 'x')
    .toSorted()
    .join('')
}

const grants: readonly NewGrant[] = [
  newGrant(id('1'), 'k1'),
  newGrant(id('2'), 'k1', { constraints: { EncryptionContextEquals: { a: '1', b: '2' } } }),
  newGrant(id('3'), 'k1', { constraints: { EncryptionContextSubset: { a: '1' } } }),
  newGrant(id('4'), 'k1', { constraints: { EncryptionContextSubset: { a: '1', c: '3' } } }),
  newGrant(id('5'), 'k1', { operations: ['DescribeKey'], constraints: { SourceArn: 'arn:s' } }),
  newGrant(id('6'), 'k2'),
]

for (const { name: engine, open } of engines) {
  test(`${engine}: a grant is proposed to the calls that it may give, until it is gone`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    await insertAccounts(store)
    await insertKeys(store, newKey('k1'), newKey('k2'))
    for (const grant of grants) await store.change((transaction) => transaction.insertGrant(grant))
    const check = async (): Promise<void> => {
      assert.equal(await proposed(store, { operation: 'Encrypt' }), '1')
      assert.equal(await proposed(store, { operation: 'Encrypt' }, 1), '1')
      assert.equal(await proposed(store, { operation: 'Sign' }), '')
      assert.equal(await proposed(store, { operation: 'DescribeKey' }), '')
      assert.equal(await proposed(store, { operation: 'DescribeKey', sourceArn: 'arn:s' }), '5')
      const whole = { operation: 'Decrypt', encryptionContext: { b: '2', a: '1' } } as const
      assert.equal(await proposed(store, whole), '123')
      // Filed under a pair that no other grant is filed under.
      const other = { operation: 'Decrypt', encryptionContext: { c: '3' } } as const
      assert.equal(await proposed(store, other), '14')
    }
    await check()
    for (const grant of await store.listGrants(key, { limit: 9 })) {
      await store.change((transaction) => transaction.deleteGrant(grant))
    }
    const record = await store.findKey({ ...key, keyId: 'k2' })
    assert.ok(record)
    await store.change((transaction) => transaction.deleteKey(record, 1))
    assert.deepEqual(await database.query.selectFrom('grant_buckets').selectAll().execute(), [])
  })
}
