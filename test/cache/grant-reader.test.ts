/** The thread that reads grants, over a real database. */
import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { keyringOf } from '../../src/crypto/domain-keys.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { termsOf } from '../../src/model/grant-terms.ts'
import { createGrantReader, type GrantReader } from '../../src/cache/grant-reader.ts'
import { createStore } from '../../src/store/bound-store.ts'
import { openDatabase, type OwnedDatabase } from '../../src/store/open.ts'
import { temporaryFolder } from '../store/engines.ts'
import {
  accountId,
  insertAccounts,
  insertKeys,
  newGrant,
  newKey,
  region,
} from '../store/records.ts'

const key = { accountId, region, keyId: 'k' }
const grantee = `arn:aws:iam::${accountId}:root`
const count = 600
const grant = (index: number): ReturnType<typeof newGrant> =>
  newGrant(index.toString(16).padStart(64, '0'), 'k', {
    constraints: { EncryptionContextSubset: { purpose: `p-${index}` } },
  })

async function open(t: TestContext): Promise<{
  readonly reader: GrantReader
  readonly database: OwnedDatabase
  readonly forged: string[]
}> {
  const database = await openDatabase({ path: join(temporaryFolder(t), 'trent.db') })
  const domainKeys = [{ version: 1, key: createSecretKey(randomBytes(32)) }]
  const deployment = { deploymentId: 'd', domainKeys }
  const keyring = keyringOf('d', domainKeys, systemRandom)
  const store = createStore(database, keyring, { onForgedRow: () => undefined })
  await insertAccounts(store)
  await insertKeys(store, newKey('k'))
  await store.change(async (transaction) => {
    for (let index = 0; index < count; index += 1) await transaction.insertGrant(grant(index))
  })
  const forged: string[] = []
  const onForgedRow = (table: string, id: string): number => forged.push(`${table}/${id}`)
  const reader = createGrantReader({ database: database.share(), deployment, onForgedRow })
  t.after(async () => {
    await reader.close()
    await database.close()
  })
  return { reader, database, forged }
}

test('all genuine grants of a grantee are read page by page, and forged ones are reported', async (t) => {
  const { reader, database, forged } = await open(t)
  const { grantId } = grant(7)
  await database.query
    .updateTable('grants')
    .set({ constraints: null })
    .where('grant_id', '=', grantId)
    .execute()
  for (let time = 1; time <= 2; time += 1) {
    const pages: number[] = []
    const read: unknown[] = []
    await reader.read(key, grantee, (page) => {
      pages.push(page.length)
      read.push(...page)
      return true
    })
    const wanted = Array.from({ length: count }, (_, index) => grant(index))
      .filter((one) => one.grantId !== grantId)
      .map(termsOf)
    assert.deepEqual(read, wanted)
    assert.ok(pages.length > 1 && pages.every((length) => length <= 250))
    assert.deepEqual(forged.splice(0), [`grants/${accountId}/${region}/k/${grantId}`])
  }
  await reader.read(key, 'nobody', (page) => {
    assert.deepEqual(page, [])
    return true
  })
})

test('a read ends when no more pages are wanted, and a failed read does not affect the next', async (t) => {
  const { reader } = await open(t)
  let pages = 0
  await reader.read(key, grantee, () => {
    pages += 1
    return false
  })
  assert.equal(pages, 1)
  const broken = reader.read(key, grantee, () => {
    throw new Error('no room')
  })
  await assert.rejects(broken, /no room/)
  let rows = 0
  await reader.read(key, grantee, (page) => {
    rows += page.length
    return true
  })
  assert.equal(rows, count)
})

test('a second read at once is refused, and the first one stays whole', async (t) => {
  const { reader } = await open(t)
  let read = 0
  const first = reader.read(key, grantee, (page) => {
    read += page.length
    return true
  })
  await assert.rejects(
    reader.read(key, 'another', () => true),
    /grants are being read/,
  )
  await first
  assert.equal(read, count)
})

test('a reader that is closed, or whose database is gone, says so', async (t) => {
  const { reader, database } = await open(t)
  await reader.read(key, grantee, () => false)
  await database.close()
  await assert.rejects(
    reader.read(key, grantee, () => true),
    /cannot read grants/,
  )
  await reader.close()
  await assert.rejects(
    reader.read(key, grantee, () => true),
    /closed/,
  )
})
