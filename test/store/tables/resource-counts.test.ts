/** The stored counts of keys and aliases. @module */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import * as fc from 'fast-check'
import type { Database } from '../../../src/store/database.ts'
import type { Store, StoreReads, Transaction } from '../../../src/store/store.ts'
import { engines, storeOf, type TestedEngine } from '../engines.ts'
import { assertCountsKept } from '../kept-counts.ts'
import {
  accountId,
  insertAccounts,
  insertKeys,
  newAlias,
  newKey,
  otherAccountId,
  otherRegion,
  region,
} from '../records.ts'

const here = { accountId, region }
const places = [
  here,
  { accountId, region: otherRegion },
  { accountId: otherAccountId, region },
] as const
type AccountRegion = (typeof places)[number]

interface Opened {
  readonly database: Database
  readonly store: Store
  readonly forged: readonly string[]
}

async function opened(t: TestContext, engine: TestedEngine): Promise<Opened> {
  const { database } = await engine.open(t)
  const { store, forged } = storeOf(database)
  await insertAccounts(store)
  return { database, store, forged }
}

/** The counts inside a transaction, before it commits. */
async function assertCounted(reads: StoreReads): Promise<void> {
  for (const { accountId: account, region: where } of places) {
    const keys = await reads.listKeys(account, where, { limit: 1000 })
    const aliases = await reads.listAliases(account, where, { limit: 1000 })
    assert.deepEqual(
      [await reads.countKeys(account, where), await reads.countAllAliases(account, where)],
      [
        keys.filter(({ manager }) => manager === 'CUSTOMER').length,
        aliases.filter(({ name }) => !name.startsWith('alias/aws/')).length,
      ],
    )
  }
}

type Act =
  | { readonly act: 'key'; readonly at: AccountRegion; readonly manager: 'AWS' | 'CUSTOMER' }
  | { readonly act: 'alias'; readonly at: AccountRegion; readonly prefix: string }
  | { readonly act: 'delete-key' | 'delete-alias' | 'move-alias'; readonly at: AccountRegion }
  | { readonly act: 'empty' }

const at = fc.constantFrom(...places)
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('key' as const),
      at,
      manager: fc.constantFrom('CUSTOMER' as const, 'CUSTOMER' as const, 'AWS' as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('alias' as const),
      at,
      prefix: fc.constantFrom('alias/', 'alias/aws/', 'alias/aws', 'alias/AWS/', 'alias/aws0/'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constantFrom('delete-key' as const, 'delete-alias' as const, 'move-alias' as const),
      at,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ act: 'empty' as const }) },
)
/** One transaction; some of them fail at the end. */
const change = fc.record({
  acts: fc.array(act, { minLength: 1, maxLength: 6 }),
  fails: fc.nat(4).map((one) => one === 0),
})

async function perform(transaction: Transaction, one: Act, name: string): Promise<void> {
  if (one.act === 'empty') {
    await transaction.empty({ accountId })
    await transaction.insertAccount({ accountId: otherAccountId, createdAt: 2 })
    return
  }
  const { accountId: account, region: where } = one.at
  if (one.act === 'key') {
    const { manager } = one
    await transaction.insertKey(newKey(name, { ...one.at, manager }))
    return
  }
  const [key] = await transaction.listKeys(account, where, { limit: 1 })
  if (key === undefined) return
  if (one.act === 'delete-key') return transaction.deleteKey(key, 9)
  if (one.act === 'alias') {
    await transaction.insertAlias(newAlias(`${one.prefix}${name}`, key.keyId, one.at))
    return
  }
  const alias = (await transaction.listAliases(account, where, { limit: 2 })).at(-1)
  if (alias === undefined) return
  if (one.act === 'delete-alias') return transaction.deleteAlias(alias)
  await transaction.updateAlias(alias, { targetKeyId: key.keyId, updatedAt: 7 })
}

/** Adds a key and an alias to each account and Region. */
async function addEverywhere(store: Store, name: string): Promise<void> {
  await insertKeys(store, ...places.map((place) => newKey(name, place)))
  await store.change(async (transaction) => {
    for (const place of places) {
      await transaction.insertAlias(newAlias(`alias/${name}`, name, place))
    }
  })
}

for (const engine of engines) {
  test(`${engine.name}: after any changes, and within them, the counts are those of the rows`, async (t) => {
    const changes = fc.array(change, { minLength: 5, maxLength: 25, size: 'max' })
    const property = fc.asyncProperty(changes, async (all) => {
      const { database, store, forged } = await opened(t, engine)
      const ended = new Error('it ends here')
      let made = 0
      for (const { acts, fails } of all) {
        const changed = store.change(async (transaction) => {
          for (const one of acts) {
            await perform(transaction, one, `n${String((made += 1)).padStart(4, '0')}`)
            await assertCounted(transaction)
          }
          if (fails) throw ended
        })
        await changed.catch((error: unknown) => assert.equal(error, ended))
        await assertCounted(store)
        await assertCountsKept(database)
      }
      assert.deepEqual(forged, [])
      await database.close()
    })
    await fc.assert(property, { numRuns: 25 })
  })

  test(`${engine.name}: rows from before there were counts are counted, and the count is then stored`, async (t) => {
    const { database, store, forged } = await opened(t, engine)
    await addEverywhere(store, 'k1')
    await database.query.deleteFrom('resource_counts').execute()
    await assertCounted(store)
    await addEverywhere(store, 'k2')
    await assertCounted(store)
    await assertCountsKept(database)
    assert.deepEqual(forged, [])
  })

  test(`${engine.name}: a forged count gives no quota`, async (t) => {
    const { database, store, forged } = await opened(t, engine)
    const { query } = database
    await addEverywhere(store, 'k1')
    await addEverywhere(store, 'k2')
    const wrongs = [{ count: 0 }, { count: 1 }, { count: -5 }, { row_tag: new Uint8Array(32) }]
    for (const [index, wrong] of wrongs.entries()) {
      await query.updateTable('resource_counts').set(wrong).execute()
      await assertCounted(store)
      await addEverywhere(store, `more-${index}`)
      await assertCounted(store)
      await assertCountsKept(database)
    }
    assert(forged.includes(`resource_counts/${accountId}/${region}/keys`))
    // The count of another account, Region or kind is not valid for this one.
    await query
      .updateTable('resource_counts')
      .set({ kind: 'gone' })
      .where('kind', '=', 'keys')
      .where('account_id', '=', accountId)
      .execute()
    await insertKeys(store, newKey('here-alone'))
    const taken = await query
      .selectFrom('resource_counts')
      .select(['count', 'row_tag'])
      .where((row) => row.and({ account_id: accountId, region, kind: 'aliases' }))
      .executeTakeFirstOrThrow()
    await query
      .updateTable('resource_counts')
      .set(taken)
      .where((row) => row.and({ account_id: accountId, region, kind: 'keys' }))
      .execute()
    await assertCounted(store)
  })

  test(`${engine.name}: an older count that is put back is counted again before it becomes negative`, async (t) => {
    const { database, store } = await opened(t, engine)
    const { query } = database
    await insertKeys(store, newKey('k1'))
    const older = await query
      .selectFrom('resource_counts')
      .select(['count', 'row_tag'])
      .where('kind', '=', 'keys')
      .executeTakeFirstOrThrow()
    await insertKeys(store, newKey('k2'), newKey('k3'), newKey('k4'))
    await query.updateTable('resource_counts').set(older).where('kind', '=', 'keys').execute()
    // Its tag is valid: an attacker who can write the database can put back an older row.
    assert.equal(await store.countKeys(accountId, region), 1)
    const keys = await store.listKeys(accountId, region, { limit: 2 })
    await store.change(async (transaction) => {
      for (const key of keys) await transaction.deleteKey(key, 9)
    })
    assert.equal(await store.countKeys(accountId, region), 2)
    await assertCountsKept(database)
  })
}
