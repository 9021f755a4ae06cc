/** Cached grants over a real store; the tests count what calls read from it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GrantQuestion } from '../../src/model/grant-terms.ts'
import type { UserRecord } from '../../src/model/user.ts'
import { accountId, insertKeys, newKey, region } from '../store/records.ts'
import { asking, encrypt, grant, key, many, open, pair, user } from '../resolve/granted-world.ts'

test('few grants or none are read once, and a change reads only the grant that it names', async (t) => {
  const { find, counted, insert, revoke } = await open(t)
  assert.deepEqual(await find(), [])
  assert.deepEqual(await find(), [])
  assert.deepEqual(counted(), { listGrants: 1, rows: 0 })
  await insert(grant(1))
  assert.deepEqual(await find(), [grant(1).grantId])
  await insert(grant(2), grant(3))
  await revoke(1)
  assert.equal((await find()).length, 1)
  assert.deepEqual(counted(), { findGrants: 2, rows: 3 })
  await revoke(2, 3)
  assert.deepEqual(await find(), [])
  await insert({ ...grant(4), granteePrincipal: 'arn:aws:iam::111122223333:user/v' })
  assert.deepEqual(await find(), [])
  assert.deepEqual(counted(), { findGrants: 1, rows: 0 }, 'a change of others reads nothing')
})

for (const [what, constraints] of [
  ['without constraints', undefined],
  ['with a constraint each', pair],
] as const) {
  test(`of many grants ${what}, a call reads a few rows until the set is in memory, then none`, async (t) => {
    const { find, counted, insert, revoke, settled, errors } = await open(t)
    await insert(...many(700, constraints))
    const asked = constraints ? asking(500) : encrypt
    for (let call = 0; call < 3; call += 1) {
      assert.equal((await find(asked)).length, 1)
      const { rows = 0, listGrants = 0, grantsInBuckets } = counted()
      assert.equal(grantsInBuckets, 1)
      assert.ok(rows - 11 * listGrants <= 50, `${rows} rows`)
    }
    await settled()
    for (const question of [asked, constraints ? asking(1) : encrypt]) {
      assert.equal((await find(question)).length, 1)
    }
    assert.deepEqual(await find({ operation: 'Sign' }), [])
    assert.deepEqual(await find(asked, { ...user, granteeId: 'AIDANAMESAKE' }), [])
    assert.deepEqual(counted(), {}, 'it is in memory')
    await revoke(500)
    await insert(grant(1000, constraints?.(1000)))
    assert.equal((await find(asked)).length, constraints ? 0 : 1)
    assert.equal((await find(constraints ? asking(1000) : encrypt)).length, 1)
    assert.deepEqual(counted(), { findGrants: 1, rows: 1 }, 'one round trip for both changes')
    assert.deepEqual(errors, [])
  })

  test(`a set ${what} that memory does not hold is looked up by call, and not read again`, async (t) => {
    const { find, counted, insert, revoke, settled } = await open(t, { manyBytesMax: 20_000 })
    await insert(...many(400, constraints))
    const asked = constraints ? asking(300) : encrypt
    for (let call = 0; call < 5; call += 1) await find(asked)
    await settled()
    assert.equal(counted()['readGrants'], 1)
    for (let call = 0; call < 20; call += 1) {
      assert.equal((await find(asked)).length, 1)
      assert.deepEqual(await find({ operation: 'Sign' }), [])
      const { rows = 0, ...calls } = counted()
      assert.deepEqual(calls, { grantsInBuckets: 2 })
      assert.ok(rows <= 50, `${rows} rows`)
    }
    await revoke(300)
    assert.equal((await find(asked)).length, constraints ? 0 : 1)
  })
}

test('changes that come while a set is read are in it', async (t) => {
  const gate = Promise.withResolvers<void>()
  const world = await open(t, {}, (plain) => async (at, grantee, take) => {
    const pages: Parameters<typeof take>[0][] = []
    await plain(at, grantee, (page) => {
      pages.push(page)
      return true
    })
    await gate.promise
    for (const page of pages) await take(page)
  })
  const { find, counted, insert, revoke, settled } = world
  await insert(...many(30, pair))
  for (let call = 0; call < 3; call += 1) await find(asking(7))
  await revoke(7)
  await insert(grant(31, pair(31)))
  assert.deepEqual(await find(asking(7)), [])
  assert.equal((await find(asking(31))).length, 1)
  gate.resolve()
  await settled()
  counted()
  assert.deepEqual(await find(asking(7)), [])
  assert.equal((await find(asking(31))).length, 1)
  assert.equal((await find(asking(8))).length, 1)
  assert.deepEqual(counted(), {}, 'from memory')
})

test('a set that cannot be read is reported, and calls go on without it', async (t) => {
  let broken = true
  const world = await open(t, {}, (plain) => async (...given) => {
    if (broken) throw new Error('the thread ended')
    return plain(...given)
  })
  const { find, insert, settled, counted, errors } = world
  await insert(...many(30))
  for (let call = 0; call < 5; call += 1) assert.equal((await find()).length, 1)
  await settled()
  assert.deepEqual(
    errors.map(({ message }) => message),
    ['the thread ended'],
  )
  broken = false
  for (let call = 0; call < 5; call += 1) assert.equal((await find()).length, 1)
  await settled()
  counted()
  assert.equal((await find()).length, 1)
  assert.deepEqual(counted(), {})
})

test('forged and deleted rows give nothing, whichever way they are looked up', async (t) => {
  const { find, insert, settled, database, forged, revoke, counted } = await open(t)
  await insert(...many(30, pair))
  const forge = (from: number, to: number): Promise<unknown> =>
    database.query
      .updateTable('grants')
      .set({ constraints: JSON.stringify(pair(to)) })
      .where('grant_id', '=', grant(from).grantId)
      .execute()
  // A grant without constraints, and one in the bucket of another pair.
  await forge(3, 99)
  await database.query
    .insertInto('grant_buckets')
    .values(
      await database.query
        .selectFrom('grant_buckets')
        .selectAll()
        .where('grant_id', '=', grant(3).grantId)
        .execute()
        .then((rows) => rows.map((row) => ({ ...row, grant_id: grant(4).grantId }))),
    )
    .execute()
  assert.deepEqual(
    await find(asking(3)),
    [],
    'neither the forged row nor the one that is filed wrongly',
  )
  assert.ok(forged.includes(`grants/${accountId}/${region}/k/${grant(3).grantId}`))
  assert.deepEqual(await find(asking(99)), [])
  assert.equal((await find(asking(4))).length, 1)
  await settled()
  counted()
  for (const [index, gives] of [
    [3, 0],
    [99, 0],
    [4, 1],
  ] as const) {
    assert.equal((await find(asking(index))).length, gives)
  }
  assert.deepEqual(counted(), {}, 'from memory')
  await revoke(4)
  assert.deepEqual(await find(asking(4)), [])
})

test('a deleted key takes its grants out of memory, and comes back without them', async (t) => {
  const { find, insert, store, settled } = await open(t)
  await insert(...many(30))
  for (let call = 0; call < 4; call += 1) assert.equal((await find()).length, 1)
  await settled()
  assert.equal((await find()).length, 1)
  const record = await store.findKey(key)
  assert.ok(record)
  await store.change((transaction) => transaction.deleteKey(record, 1))
  assert.deepEqual(await find(), [])
  await insertKeys(store, newKey('k'))
  assert.deepEqual(await find(), [])
  await insert(grant(1))
  assert.deepEqual(await find(), [grant(1).grantId])
})

test('a grant whose grantee is renamed is found by the new name alone', async (t) => {
  const { find, insert, store, settled } = await open(t)
  await insert(...many(30, pair))
  for (let call = 0; call < 4; call += 1) assert.equal((await find(asking(2))).length, 1)
  await settled()
  const renamed: UserRecord = {
    accountId,
    path: '/',
    name: 'v',
    userId: 'AIDAU',
    groups: [],
    inlinePolicies: {},
    attachedPolicies: [],
    tags: [],
    createdAt: 1,
    rowVersion: 1,
  }
  await store.change((transaction) => transaction.renameGrantee(renamed))
  const now = { ...user, grantee: `arn:aws:iam::${accountId}:user/v` }
  assert.deepEqual(await find(asking(2)), [])
  assert.equal((await find(asking(2), now)).length, 1)
})

test('grants that look alike are read up to a bound, and beyond it the call is undecided', async (t) => {
  const { find, insert, counted, undecided } = await open(t, { callsBeforeReading: 1000 })
  // Each is filed under the pair that the call has, and needs another pair too.
  const alike = { EncryptionContextSubset: { a: 'x', b: 'never' } }
  for (let start = 0; start < 2400; start += 600) {
    await insert(...Array.from({ length: 600 }, (_, index) => grant(start + index, alike)))
  }
  const question: GrantQuestion = { operation: 'Encrypt', encryptionContext: { a: 'x', c: 'y' } }
  assert.deepEqual(await find(question), [])
  const { rows = 0 } = counted()
  assert.ok(rows <= 2200, `${rows} rows`)
  assert.deepEqual(undecided, [user.grantee])
  await insert(grant(5000, { EncryptionContextSubset: { a: 'x', c: 'y' } }))
  assert.deepEqual(
    await find(question),
    [grant(5000).grantId],
    'filed by the pair that tells it apart',
  )
})
