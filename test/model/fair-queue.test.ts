import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createFairQueue, type FairQueue } from '../../src/model/fair-queue.ts'
import { callsFor, ourselves, partyBehind, partyOf, type Party } from '../../src/model/party.ts'

function party(accountId: string, principalId = 'u'): Party {
  return { accountId, principalId }
}

function all(queue: FairQueue<string>): readonly string[] {
  const items: string[] = []
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item)
  return items
}

test('accounts take turns: a flood waits for itself', () => {
  const queue = createFairQueue<string>(10)
  for (const item of ['a1', 'a2', 'a3', 'a4']) queue.push(item, party('a'))
  queue.push('b1', party('b'))
  assert.equal(queue.shift(), 'a1')
  queue.push('c1', party('c'))
  assert.deepEqual(all(queue), ['b1', 'a2', 'c1', 'a3', 'a4'])
})

test('the principals of an account take turns, and have one turn of their account’s between them', () => {
  const queue = createFairQueue<string>(10)
  for (const item of ['u1', 'u2', 'u3']) queue.push(item, party('a', 'u'))
  queue.push('v1', party('a', 'v'))
  for (const item of ['b1', 'b2']) queue.push(item, party('b'))
  assert.deepEqual(all(queue), ['u1', 'b1', 'v1', 'b2', 'u2', 'u3'])
})

test('a full queue gives up the last item of the account that holds most', () => {
  const queue = createFairQueue<string>(4)
  for (const item of ['a1', 'a2', 'a3', 'a4']) assert.equal(queue.push(item, party('a')), undefined)
  assert.equal(queue.push('a5', party('a')), 'a5', 'its own flood is refused')
  assert.equal(queue.push('b1', party('b')), 'a4')
  assert.equal(queue.push('b2', party('b')), 'a3')
  assert.equal(queue.push('b3', party('b')), 'b3', 'each holds as much as the other')
  assert.equal(queue.push('c1', party('c')), 'a2', 'who has none waiting gets a place')
  assert.equal(queue.size, 4)
  assert.deepEqual(all(queue), ['a1', 'b1', 'c1', 'b2'])
  assert.equal(queue.size, 0)
})

test('and within an account that of the principal who holds most', () => {
  const queue = createFairQueue<string>(4)
  queue.push('b1', party('b'))
  queue.push('b2', party('b'))
  queue.push('u1', party('a', 'u'))
  queue.push('u2', party('a', 'u'))
  assert.equal(queue.push('v1', party('a', 'v')), 'u2')
  assert.equal(queue.push('u3', party('a', 'u')), 'u3')
  assert.deepEqual(all(queue), ['b1', 'u1', 'b2', 'v1'])
})

test('what is removed is not answered, and its place is free', () => {
  const queue = createFairQueue<string>(2)
  queue.push('a1', party('a'))
  queue.push('a2', party('a'))
  queue.remove('a1', party('a'))
  queue.remove('a1', party('a'))
  queue.remove('b1', party('b'))
  assert.equal(queue.push('a3', party('a')), undefined)
  assert.deepEqual(queue.drain().toSorted(), ['a2', 'a3'])
  assert.equal(queue.size, 0)
  assert.equal(queue.shift(), undefined)
})

test('whoever comes first to a queue that one account has filled is served, and soon', () => {
  const parties = fc.record({
    accountId: fc.constantFrom('a', 'b', 'c'),
    principalId: fc.constantFrom('u', 'v', 'w'),
  })
  fc.assert(
    fc.property(
      fc.array(parties, { maxLength: 60 }),
      fc.integer({ min: 8, max: 20 }),
      (floods, max) => {
        const queue = createFairQueue<string>(max)
        floods.forEach((flood, index) => queue.push(`${index}`, flood))
        assert(queue.size <= max)
        // Three accounts have filled it: one of them holds more than one of its places.
        assert.notEqual(queue.push('new', party('d')), 'new')
        const order = all(queue)
        assert(order.indexOf('new') <= 3, order.join())
      },
    ),
  )
})

test('sessions of a role are one party, and a service waits among those it calls for', () => {
  const base = { accountId: 'a', arn: '', uniqueId: 'AROA:one' }
  const issuer = { type: 'Role', principalId: 'AROA', arn: '', accountId: 'a' } as const
  const one = partyOf({ ...base, kind: 'assumed-role', issuer })
  const other = partyOf({ ...base, uniqueId: 'AROA:two', kind: 'assumed-role', issuer })
  assert.deepEqual(one, { accountId: 'a', principalId: 'AROA' })
  assert.deepEqual(other, one)
  const named = { name: 's3', regionalName: 's3.us-west-2', region: 'us-west-2' }
  const service = { ...base, accountId: '', kind: 'service' } as const
  assert.deepEqual(partyOf({ ...service, service: { ...named, sourceAccount: 'b' } }), {
    accountId: 'b',
    principalId: 's3',
  })
  assert.deepEqual(partyOf({ ...service, service: named }), {
    accountId: 's3',
    principalId: 's3',
  })
})

test('a signal identifies its party, and an unknown signal belongs to the server itself', () => {
  const { signal } = new AbortController()
  assert.equal(partyBehind(signal), ourselves)
  callsFor(signal, party('a'))
  assert.deepEqual(partyBehind(signal), party('a'))
})
