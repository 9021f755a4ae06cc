/** The event index compared with a search through a list, on every engine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import * as fc from 'fast-check'
import { dayOf, packEvents, unpackEvents } from '../../../src/audit/index/event-blocks.ts'
import { createEventLookup } from '../../../src/audit/index/event-lookup.ts'
import { createEventRetention } from '../../../src/audit/index/event-retention.ts'
import { indexedEvent, isIn, tokenOf } from '../../../src/audit/index/indexed-event.ts'
import type { EventScope, IndexedEvent } from '../../../src/model/audit-event.ts'
import type { Database } from '../../../src/store/database.ts'
import {
  findIndexPositions,
  saveEventBlocks,
  type EventBlock,
} from '../../../src/store/tables/event-index-rows.ts'
import {
  decodePage,
  encodePage,
  postingOf,
  postingsBetween,
} from '../../../src/store/tables/event-postings.ts'
import { mergeEventRuns } from '../../../src/store/tables/event-runs.ts'
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

function packed(events: readonly IndexedEvent[]): readonly EventBlock[] {
  return packEvents(
    events.map((event) => ({ facts: event, ...event, text: Buffer.from(event.text) })),
  )
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
        fc.boolean(),
        async (batches, limit, [first, span], isMerged) => {
          const { database } = await open(t)
          const { store } = storeOf(database)
          const events: IndexedEvent[] = []
          for (const [index, batch] of batches.entries()) {
            const part = batch.map(eventOf)
            events.push(...part)
            const position = { stream: 'worker-0', segment: 1, offset: index }
            await saveEventBlocks(database.query, packed(part), [], position)
          }
          if (isMerged) while (await mergeEventRuns(database.query)) continue
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
    await saveEventBlocks(database.query, packed([eventOf({ time: 1 })]), [], position)
    assert.deepEqual(await findIndexPositions(database.query), [position])
    const [block] = packed([eventOf({ time: 2 })])
    assert(block)
    const broken = { ...block, day: 0.5 }
    await assert.rejects(
      saveEventBlocks(database.query, [block, broken], [], { ...position, offset: 900 }),
    )
    assert.deepEqual(await findIndexPositions(database.query), [position])
    assert.equal(await countOf(database, 'event_blocks'), 1)
  })

  test(`${engine}: what is older than the event history is forgotten, and nothing else`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    const events = [0, 1, 89, 90, 91].map((day) => eventOf({ time: day * 86_400 }))
    const position = { stream: 'worker-0', segment: 1, offset: 1 }
    await saveEventBlocks(database.query, packed(events), [], position)
    const job = createEventRetention(store)
    assert.equal(job.irreversible, true)
    const { signal } = new AbortController()
    while (await job.run(start + 91 * dayMs, signal)) continue
    const left = await database.query
      .selectFrom('event_blocks')
      .select('day')
      .orderBy('day')
      .execute()
    const days = [1, 89, 90, 91].map((day) => dayOf(start) + day)
    assert.deepEqual(
      left.map(({ day }) => day),
      days,
    )
    while (await mergeEventRuns(database.query)) continue
    const runs = await database.query
      .selectFrom('event_runs')
      .select('day')
      .orderBy('day')
      .execute()
    assert.deepEqual(
      runs.map(({ day }) => day),
      days,
    )
    assert.equal(await countOf(database, 'event_run_pages'), days.length)
  })

  test(`${engine}: runs are merged step by step, and every event stays found`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    const ids = new Set<string>()
    for (let index = 0; index < 300; index += 1) {
      const events = Array.from({ length: 5 }, (_, n) => eventOf({ time: 3 * index + n }))
      for (const { eventId } of events) ids.add(eventId)
      const position = { stream: 'worker-0', segment: 1, offset: index }
      await saveEventBlocks(database.query, packed(events), [], position)
      while (await mergeEventRuns(database.query)) continue
    }
    // 300 = 1 · 256 + 2 · 16 + 12
    assert.equal(await countOf(database, 'event_runs'), 1 + 2 + 12)
    const lookup = createEventLookup(store)
    const place = { accountId: own, region: 'us-west-2' }
    const span = { from: start, until: start + dayMs, limit: 5000 }
    const { events } = await lookup.lookup({ scope: place, ...span })
    assert.deepEqual(new Set(events.map(({ eventId }) => eventId)), ids)
    assert.equal(events.length, ids.size)
    for (const value of [...ids].filter((_, index) => index % 50 === 0)) {
      const scope = { ...place, attribute: { name: 'EventId', value } } as const
      const found = (await lookup.lookup({ scope, ...span })).events
      assert.deepEqual(
        found.map(({ eventId }) => eventId),
        [value],
      )
    }
    // Once the day is over, it has one run.
    const position = { stream: 'worker-0', segment: 1, offset: 300 }
    await saveEventBlocks(database.query, packed([eventOf({ time: 86_400 })]), [], position)
    while (await mergeEventRuns(database.query)) continue
    assert.equal(await countOf(database, 'event_runs'), 2)
    assert.equal((await lookup.lookup({ scope: place, ...span })).events.length, ids.size + 1)
  })

  test(`${engine}: a merge that was interrupted leaves no posting twice`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    for (let index = 0; index < 16; index += 1) {
      const position = { stream: 'worker-0', segment: 1, offset: index }
      await saveEventBlocks(database.query, packed([eventOf({ time: index })]), [], position)
    }
    const scope = { accountId: own, region: 'us-west-2' }
    const lookup = createEventLookup(store)
    const query = { scope, from: start, until: start + dayMs, limit: 100 }
    // Every statement of the merge in turn fails, as the process may end there.
    let statements = 0
    for (let failing = 1; ; failing += 1) {
      statements = 0
      const failed = database.query.withPlugin({
        transformQuery({ node }) {
          statements += 1
          if (statements === failing) throw new Error('the process ended')
          return node
        },
        transformResult: ({ result }) => Promise.resolve(result),
      })
      const merged = await mergeEventRuns(failed).catch(() => undefined)
      assert.equal((await lookup.lookup(query)).events.length, 16)
      if (merged !== undefined) break
    }
    assert(statements > 8, `${statements} statements`)
    while (await mergeEventRuns(database.query)) continue
    assert.equal(await countOf(database, 'event_runs'), 1)
    assert.equal((await lookup.lookup(query)).events.length, 16)
  })
}

async function countOf(
  { query }: Database,
  table: 'event_blocks' | 'event_runs' | 'event_run_pages',
): Promise<number> {
  const { n } = await query
    .selectFrom(table)
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  return n
}

test('a forged block is empty, and takes no more memory than a genuine one', () => {
  const [block] = packed([eventOf({ time: 1 })])
  assert.equal(unpackEvents(block?.content ?? Buffer.of()).length, 1)
  const content = Buffer.from(block?.content ?? [])
  for (const broken of [
    Buffer.of(),
    Buffer.of(2),
    Buffer.of(2, 1),
    content.subarray(0, -3),
    Buffer.concat([Buffer.of(1), Buffer.alloc(64, 0xff)]),
    Buffer.concat([Buffer.of(1), zstdCompressSync(Buffer.alloc(2 ** 25, 'x\n'))]),
  ]) {
    assert.deepEqual(unpackEvents(broken), [])
  }
})

test('a forged page is empty, and takes no more memory than a genuine one', () => {
  const posting = postingOf('8 bytes.', { lastTime: 9000, block: 7 }, 8000)
  const { content } = encodePage([posting])
  assert.deepEqual(decodePage(content), [posting])
  const bytes = Buffer.from(content)
  for (const broken of [
    Buffer.of(),
    Buffer.of(2),
    bytes.subarray(0, -3),
    Buffer.concat([bytes.subarray(0, 1), zstdCompressSync(Buffer.alloc(24))]),
    Buffer.concat([bytes.subarray(0, 1), zstdCompressSync(Buffer.alloc(23 * 513))]),
  ]) {
    assert.deepEqual(decodePage(broken), [])
    assert.deepEqual(postingsBetween(broken, '', '\xff'), [])
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
  ].map(tokenOf)
  assert.equal(new Set(tokens).size, tokens.length)
})
