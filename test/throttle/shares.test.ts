/** Nodes that share request quotas: simulated nodes and clients, on a clock of the test. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { QuotaClaim } from '../../src/model/quota-share.ts'
import { bucketMemory, createBuckets, type Buckets } from '../../src/throttle/buckets.ts'
import { createNodeShares, type NodeShares } from '../../src/throttle/node-shares.ts'
import { shareOf, wholeShare } from '../../src/throttle/shares.ts'

const rate = 1000
const stepMs = 10

interface Node {
  readonly name: string
  readonly buckets: Buckets
  readonly shares: NodeShares
  /** Milliseconds between its renewals; Infinity for a node that hangs. */
  periodMs: number
  nextAt: number
}

/** A database of claims whose transactions take some steps, and nodes that use it. */
class Fleet {
  now = 1000
  readonly nodes = new Map<string, Node>()
  /** Times of the calls that passed. */
  readonly passed: number[] = []
  isReachable = true
  /** Lets exchanges end that wait for their commit. */
  isOver = false
  /** Milliseconds between the decision of an exchange and its commit. */
  commitMs = 0
  #rows: readonly QuotaClaim[] = []
  #turn: Promise<void> = Promise.resolve()

  async join(name: string, periodMs = 500): Promise<Node> {
    const buckets = createBuckets(bucketMemory(64), () => this.now)
    const shares = createNodeShares({
      node: name,
      parts: buckets,
      monotonic: () => this.now,
      system: () => this.now,
      periodMs: 3_600_000,
      onError: () => undefined,
      exchange: (of) =>
        (this.#turn = this.#turn.catch(() => undefined).then(() => this.#exchange(of))),
      giveUp: async (gone) => {
        this.#rows = this.#rows.filter(({ node }) => node !== gone)
      },
    })
    const node = { name, buckets, shares, periodMs, nextAt: this.now }
    this.nodes.set(name, node)
    return node
  }

  async #exchange(of: Parameters<Parameters<typeof createNodeShares>[0]['exchange']>[0]) {
    if (!this.isReachable) throw new Error('the database cannot be reached')
    const { claims, gone } = of.decide(this.#rows)
    const until = this.now + this.commitMs
    while (this.now < until && !this.isOver) await turn()
    if (!this.isReachable) throw new Error('the outcome is unknown')
    const replaced = [of.node, ...gone]
    this.#rows = [...this.#rows.filter(({ node }) => !replaced.includes(node)), ...claims]
  }

  /** @param load calls a second on each node */
  async run(ms: number, load: Readonly<Record<string, number>>): Promise<number> {
    const before = this.passed.length
    for (const end = this.now + ms; this.now < end;) {
      this.now += stepMs
      for (const node of this.nodes.values()) {
        if (node.nextAt <= this.now) {
          node.nextAt = this.now + node.periodMs
          node.shares.renew().catch(() => undefined)
        }
      }
      for (let waits = 0; waits < 3; waits += 1) await turn()
      for (const [name, perSecond] of Object.entries(load)) this.#call(name, perSecond)
    }
    return this.passed.length - before
  }

  #call(name: string, perSecond: number): void {
    const node = this.nodes.get(name)
    const calls =
      Math.floor((this.now * perSecond) / 1000) -
      Math.floor(((this.now - stepMs) * perSecond) / 1000)
    for (let call = 0; call < calls; call += 1) {
      if (node?.buckets.draw([{ bucket: 'one', rate, count: 1 }])) this.passed.push(this.now)
    }
  }

  /** The most that one bucket lets through in any time, over what a single one would: 1 is the limit. */
  excess(): number {
    let most = 0
    for (const windowMs of [100, 1000, 3000, 10_000]) {
      let first = 0
      for (const [index, at] of this.passed.entries()) {
        while ((this.passed[first] ?? 0) <= at - windowMs) first += 1
        most = Math.max(most, (index - first + 1) / (rate + (rate * windowMs) / 1000))
      }
    }
    return most
  }
}

test('a node alone has the whole quota as soon as it has claimed it, and nothing before', async () => {
  const fleet = new Fleet()
  await fleet.join('a')
  fleet.nodes.get('a')!.nextAt = Infinity
  await fleet.nodes.get('a')!.shares.renew()
  assert.equal(fleet.nodes.get('a')!.buckets.available({ bucket: 'one', rate }), rate)
})

test('a client that stays on one node gets nine tenths of its limit within three seconds', async () => {
  const fleet = new Fleet()
  await Promise.all(['a', 'b', 'c'].map((name) => fleet.join(name)))
  await fleet.run(3000, {})
  for (const name of ['a', 'b', 'a', 'c']) {
    await fleet.run(3000, { [name]: 1200 })
    const second = await fleet.run(1000, { [name]: 1200 })
    assert(second >= 0.9 * rate, `${name}: ${second}`)
  }
  assert(fleet.excess() <= 1.1, String(fleet.excess()))
})

test('nodes that are asked more than the quota share it by load', async () => {
  const fleet = new Fleet()
  await Promise.all(['a', 'b'].map((name) => fleet.join(name)))
  await fleet.run(5000, { a: 1500, b: 500 })
  const passed = await fleet.run(4000, { a: 1500, b: 500 })
  assert(passed >= 0.9 * 4 * rate, String(passed))
  const of = (name: string): number =>
    fleet.nodes.get(name)!.buckets.available({ bucket: 'two', rate })
  // Nobody asks for another bucket, and each node has its part of it.
  assert.deepEqual([of('a'), of('b')], [50, 50])
  assert(fleet.excess() <= 1.1, String(fleet.excess()))
})

test('the sum stays below eleven tenths while nodes join, hang, leave and come back, at any load', async () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    let state = seed
    const random = (below: number): number => {
      state = (state * 48_271) % 2_147_483_647
      return state % below
    }
    const fleet = new Fleet()
    // One node stays: buckets are full after a restart of the only node, as without other nodes.
    await fleet.join('stays')
    let made = 0
    for (let round = 0; round < 25; round += 1) {
      const names = [...fleet.nodes.keys()].filter((name) => name !== 'stays')
      const chosen = fleet.nodes.get(names[random(names.length || 1)] ?? '')
      const kind = random(7)
      if (kind === 0 && names.length < 4) await fleet.join(`n${(made += 1)}`)
      else if (kind === 1 && chosen) chosen.nextAt = Infinity // it hangs, and goes on serving
      else if (kind === 2 && chosen) chosen.nextAt = fleet.now
      else if (kind === 3 && chosen) {
        await Promise.race([chosen.shares.close(), fleet.run(200, {})])
        fleet.nodes.delete(chosen.name)
      } else if (kind === 4) fleet.isReachable = !fleet.isReachable
      else if (kind === 5) fleet.commitMs = random(3) * 150
      const load = Object.fromEntries([...fleet.nodes.keys()].map((name) => [name, random(1500)]))
      await fleet.run(200 + random(4000), load)
    }
    fleet.isOver = true
    assert(fleet.excess() <= 1.1, `seed ${seed}: ${fleet.excess()}`)
  }
})

test('what a node that died had is another’s after five seconds, and not while it may still serve', async () => {
  const fleet = new Fleet()
  await fleet.join('a')
  await fleet.run(1000, { a: 1200 })
  fleet.nodes.get('a')!.nextAt = Infinity
  await fleet.join('b')
  // The first node uses the last claim that it has made for three seconds.
  const before = await fleet.run(2000, { a: 1200, b: 1200 })
  assert(before >= 0.9 * 2 * rate, String(before))
  await fleet.run(5000, { a: 1200, b: 1200 })
  const after = await fleet.run(2000, { b: 1200 })
  assert(after >= 0.9 * 2 * rate, String(after))
  assert.equal(fleet.nodes.get('a')!.buckets.available({ bucket: 'one', rate }), 0)
  assert(fleet.excess() <= 1.1, String(fleet.excess()))
})

test('the shares of any claims are never more than the whole, however they are decided in turn', () => {
  let state = 7
  const random = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below
  for (let round = 0; round < 2000; round += 1) {
    const claims = Array.from({ length: 1 + random(5) }, () => ({ share: 0, asked: 0 }))
    for (let step = 0; step < 20; step += 1) {
      const index = random(claims.length)
      const own = claims[index]!
      const others = claims.filter((claim) => claim !== own)
      const wanted = random(3) === 0 ? 0 : random(2000)
      claims[index] = {
        share: shareOf({ own: own.share, wanted, others, whole: wholeShare }),
        asked: wanted,
      }
      const total = claims.reduce((sum, { share }) => sum + share, 0)
      assert(total <= wholeShare, JSON.stringify(claims))
    }
  }
})

test('a node stops using what it gives up before the others can see that it did', async () => {
  const fleet = new Fleet()
  const one = await fleet.join('one')
  await fleet.run(1000, { one: 1200 })
  await fleet.join('two')
  one.nextAt = Infinity
  await fleet.run(600, { two: 1200 })
  fleet.commitMs = 400
  const renewed = one.shares.renew()
  await fleet.run(100, {})
  // Its claim is not committed yet. It drew nothing, so its bucket would be full.
  const left = one.buckets.available({ bucket: 'one', rate })
  assert(left < 0.6 * rate, String(left))
  await Promise.all([renewed, fleet.run(1000, {})])
  fleet.isOver = true
})
