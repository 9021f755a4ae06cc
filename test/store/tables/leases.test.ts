/** Leases of nodes, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeLease } from '../../../src/store/tables/leases.ts'
import { engines } from '../engines.ts'

for (const { name: engine, open } of engines) {
  test(`${engine}: one holder has a lease until it expires, and keeps it while it asks again`, async (t) => {
    const { query } = (await open(t)).database
    const take = (holder: string, now: number): Promise<boolean> =>
      takeLease(query, { name: 'work', holder }, now, 100)
    assert.equal(await take('a', 1000), true)
    assert.equal(await take('b', 1099), false)
    assert.equal(await take('a', 1099), true)
    assert.equal(await take('b', 1199), false)
    assert.equal(await take('b', 1200), true)
    assert.equal(await take('a', 1201), false)
  })

  test(`${engine}: of several that ask at one moment, one gets the lease`, async (t) => {
    const { database, connect } = await open(t)
    const clients = [database, connect()]
    const taken = await Promise.all(
      Array.from({ length: 10 }, (_, index) => {
        const lease = { name: 'work', holder: `n${index}` }
        return takeLease(clients[index % 2]!.query, lease, 1000, 100)
      }),
    )
    assert.equal(taken.filter(Boolean).length, 1)
  })
}
