/** What nodes have of request quotas, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QuotaClaim } from '../../../src/model/quota-share.ts'
import type { Store } from '../../../src/store/store.ts'
import { engines, storeOf } from '../engines.ts'

const claim = (node: string, bucket: string, share: number): QuotaClaim => ({
  node,
  bucket,
  share,
  asked: 1,
  beat: 1,
})

const none = { claims: [], gone: [] }

/** Claims that an exchange of another node sees. */
async function seen(store: Store, buckets: readonly string[]): Promise<readonly QuotaClaim[]> {
  let found: readonly QuotaClaim[] = []
  await store.exchangeClaims({
    node: 'looks',
    buckets,
    decide(claims) {
      found = claims
      return none
    },
  })
  return found.toSorted((one, other) =>
    one.node + one.bucket < other.node + other.bucket ? -1 : 1,
  )
}

for (const { name: engine, open } of engines) {
  test(`${engine}: an exchange replaces a node’s claims and sees the others on the same buckets`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    const of = (node: string, ...claims: readonly QuotaClaim[]) =>
      store.exchangeClaims({ node, buckets: [], decide: () => ({ claims, gone: [] }) })
    await of('a', claim('a', '', 10), claim('a', 'one', 20), claim('a', 'two', 30))
    await of('b', claim('b', '', 5), claim('b', 'two', 7))
    assert.deepEqual(await seen(store, ['one']), [
      claim('a', '', 10),
      claim('a', 'one', 20),
      claim('b', '', 5),
    ])
    await of('a', claim('a', '', 11))
    assert.deepEqual(await seen(store, ['one', 'two']), [
      claim('a', '', 11),
      claim('b', '', 5),
      claim('b', 'two', 7),
    ])
  })

  test(`${engine}: an exchange sees the others on buckets that only the node’s own claims name`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    for (const node of ['a', 'b']) {
      const claims = [claim(node, 'one', 1)]
      await store.exchangeClaims({ node, buckets: [], decide: () => ({ claims, gone: [] }) })
    }
    let found: readonly QuotaClaim[] = []
    await store.exchangeClaims({
      node: 'a',
      buckets: [],
      decide: (claims) => {
        found = claims
        return none
      },
    })
    assert.deepEqual(found.map(({ node }) => node).toSorted(), ['a', 'b'])
  })

  test(`${engine}: claims of nodes that are gone are deleted, and a node gives up its own`, async (t) => {
    const { store } = storeOf((await open(t)).database)
    for (const node of ['a', 'b', 'c']) {
      const claims = [claim(node, '', 1)]
      await store.exchangeClaims({ node, buckets: [], decide: () => ({ claims, gone: [] }) })
    }
    await store.exchangeClaims({
      node: 'a',
      buckets: [],
      decide: () => ({ claims: [], gone: ['b'] }),
    })
    assert.deepEqual(await seen(store, []), [claim('c', '', 1)])
    await store.giveUpClaims('c')
    assert.deepEqual(await seen(store, []), [])
  })

  test(`${engine}: exchanges of several clients run one after another`, async (t) => {
    const { database, connect } = await open(t)
    const stores = [storeOf(database).store, storeOf(connect()).store]
    await Promise.all(
      Array.from({ length: 12 }, (_, index) => {
        const node = `n${index}`
        return stores[index % 2]!.exchangeClaims({
          node,
          buckets: ['one'],
          decide(claims) {
            const taken = claims.reduce((sum, { share }) => sum + share, 0)
            return { claims: [claim(node, 'one', Math.min(3, 10 - taken))], gone: [] }
          },
        })
      }),
    )
    const shares = (await seen(stores[0]!, ['one'])).map(({ share }) => share)
    assert.equal(
      shares.reduce((sum, share) => sum + share, 0),
      10,
    )
  })
}
