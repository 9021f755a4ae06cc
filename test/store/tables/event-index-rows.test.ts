/** The event index compared with a search through a list, on every engine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { dayOf, packEvents, unpackEvents } from '../../../src/audit/index/event-blocks.ts'
import { createEventLookup } from '../../../src/audit/index/event-lookup.ts'
import { createEventRetention } from '../../../src/audit/index/event-retention.ts'
import { indexedEvent, isIn, tokenOf } from '../../../src/audit/index/indexed-event.ts'
import type { EventScope, IndexedEvent } from '../../../src/model/audit-event.ts'
import { findIndexPositions, saveEventBlocks } from '../../../src/store/tables/event-index-rows.ts'
import { engines, storeOf } from '../engines.ts'

const [own, other] = ['111122223333', '444455556666'] as const
const start = Date.UTC(2030, 0, 1)
const dayMs = 86_400_000

interface Said {
  readonly time: number
  readonly accountId?: string
  readonly eventName?: string
  readonly keys?: readonly string[]
}

let made = 0
function eventOf({ time, accountId = own, eventName = 'Encrypt', keys = [] }: Said): IndexedEvent {
  made += 1
  const text = JSON.stringify({
    userIdentity: { type: 'IAMUser', userName: 'ada', accessKeyId: 'AKIA' },
    eventTime: new Date(start + time * 1000).toISOString(),
    eventSource: 'kms.amazonaws.com',
    eventName,
    awsRegion: 'us-west-2',
    eventID: `event ${made}`,
    readOnly: true,
    resources: keys.map((ARN) => ({ type: 'AWS::KMS::Key', ARN })),
    recipientAccountId: accountId,
    filler: 'a line of a text “with” ünicode',
  })
  const event = indexedEvent(text)
  assert(event)
  return event
}

const said = fc.record({
  // Over three days, with many at the same second.
  time: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 3 * 86_400 })),
  accountId: fc.constantFrom(own, other),
  eventName: fc.constantFrom('Encrypt', 'Decrypt', 'Sign'),
  keys: fc.subarray(['key/a', 'key/b', 'alias/c']),
})

const scopes: readonly EventScope[] = [
  { accountId: own, region: 'us-west-2' },
  { accountId: own, region: 'eu-west-1' },
  ...(
    [
      ['EventName', 'Sign'],
      ['ResourceName', 'key/a'],
      ['ResourceName', 'alias/c'],
      ['ResourceType', 'AWS::KMS::Key'],
      ['Username', 'ada'],
      ['ReadOnly', 'false'],
    ] as const
  ).map(([name, value]) => ({
    accountId: own,
    region: 'us-west-2',
    attribute: { name, value },
  })),
]

for (const { name: engine, open } of engines) {
  test(`${engine}: pages of every scope and span are what a list would give, in order`, async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(said, { maxLength: 300 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 50 }),
        fc.tuple(fc.integer({ min: 0, max: 3 * 86_400 }), fc.integer({ min: 0, max: 86_400 })),
        async (batches, limit, [first, span]) => {
          const { database } = await open(t)
          const { store } = storeOf(database)
          const events: IndexedEvent[] = []
          for (const [index, batch] of batches.entries()) {
            const part = batch.map(eventOf)
            events.push(...part)
            const position = { stream: 'worker-0', segment: 1, offset: index }
            await saveEventBlocks(database.query, packEvents(part), [], position)
          }
          const lookup = createEventLookup(store)
          for (const scope of scopes) {
            for (const [from, until] of [
              [start, start + 4 * dayMs],
              [start + first * 1000, start + (first + span) * 1000],
            ] as const) {
              const found: IndexedEvent[] = []
              let after: string | undefined
              do {
                const query = { scope, from, until, limit, ...(after && { after }) }
                const page = await lookup.lookup(query)
                assert(page.events.length <= limit)
                found.push(...page.events)
                after = page.next
              } while (after !== undefined)
              const expected = events.filter(
                (event) => isIn(event, scope) && event.time >= from && event.time <= until,
              )
              const times = found.map(({ time }) => time)
              assert.deepEqual(
                times,
                times.toSorted((a, b) => b - a),
              )
              const ids = (of: readonly IndexedEvent[]): string[] =>
                of.map(({ eventId }) => eventId).sort()
              assert.deepEqual(ids(found), ids(expected))
            }
          }
          await database.close()
        },
      ),
      { numRuns: 12 },
    )
  })

  test(`${engine}: blocks and the place that they lead to are saved together or not at all`, async (t) => {
    const { database } = await open(t)
    const position = { stream: 'worker-0', segment: 3, offset: 700 }
    await saveEventBlocks(database.query, packEvents([eventOf({ time: 1 })]), [], position)
    assert.deepEqual(await findIndexPositions(database.query), [position])
    const [block] = packEvents([eventOf({ time: 2 })])
    assert(block)
    const twice = { ...block, tokens: [...block.tokens, ...block.tokens] }
    await assert.rejects(
      saveEventBlocks(database.query, [block, twice], [], { ...position, offset: 900 }),
    )
    assert.deepEqual(await findIndexPositions(database.query), [position])
    const { n } = await database.query
      .selectFrom('event_blocks')
      .select((query) => query.fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow()
    assert.equal(n, 1)
  })

  test(`${engine}: what is older than the event history is forgotten, and nothing else`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    const events = [0, 1, 89, 90, 91].map((day) => eventOf({ time: day * 86_400 }))
    const position = { stream: 'worker-0', segment: 1, offset: 1 }
    await saveEventBlocks(database.query, packEvents(events), [], position)
    const job = createEventRetention(store)
    assert.equal(job.irreversible, true)
    const { signal } = new AbortController()
    while (await job.run(start + 91 * dayMs, signal)) continue
    const left = await database.query.selectFrom('event_blocks').select('day').execute()
    const days = [1, 89, 90, 91].map((day) => dayOf(start) + day)
    assert.deepEqual(
      left.map(({ day }) => day),
      days,
    )
    const postings = await database.query
      .selectFrom('event_postings')
      .select('day')
      .distinct()
      .execute()
    assert.deepEqual(
      postings.map(({ day }) => day),
      days,
    )
  })
}

test('a forged block is empty, and takes no more memory than a genuine one', () => {
  const [block] = packEvents([eventOf({ time: 1 })])
  assert.equal(unpackEvents(block?.content ?? Buffer.of()).length, 1)
  const content = Buffer.from(block?.content ?? [])
  for (const broken of [
    Buffer.of(),
    Buffer.of(2),
    content.subarray(0, -3),
    Buffer.concat([Buffer.of(1), Buffer.alloc(64, 0xff)]),
  ]) {
    assert.deepEqual(unpackEvents(broken), [])
  }
})

test('scopes that differ have tokens that differ', () => {
  const place = { accountId: own, region: 'us-west-2' }
  const tokens = [
    place,
    { ...place, region: 'us-west-1' },
    { ...place, accountId: other },
    { ...place, attribute: { name: 'EventName', value: 'a' } } as const,
    { ...place, attribute: { name: 'Username', value: 'a' } } as const,
    { ...place, attribute: { name: 'EventName', value: '' } } as const,
    { ...place, attribute: { name: 'EventName', value: '/a' } } as const,
  ].map((scope) => tokenOf(scope).toString('hex'))
  assert.equal(new Set(tokens).size, tokens.length)
})
