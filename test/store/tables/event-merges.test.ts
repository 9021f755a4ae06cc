/** Merges of the event index on several nodes, on every engine. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kysely, QueryId, RootOperationNode } from 'kysely'
import { packEvents } from '../../../src/audit/index/event-blocks.ts'
import { createEventLookup } from '../../../src/audit/index/event-lookup.ts'
import { indexedEvent } from '../../../src/audit/index/indexed-event.ts'
import type { IndexedEvent } from '../../../src/model/audit-event.ts'
import type { Schema } from '../../../src/store/schema/schema.ts'
import { saveEventBlocks, type EventBlock } from '../../../src/store/tables/event-index-rows.ts'
import { mergeEventRuns } from '../../../src/store/tables/event-runs.ts'
import { engines, storeOf } from '../engines.ts'

const own = '111122223333'
const start = Date.UTC(2030, 0, 1)
const dayMs = 86_400_000

function packed(events: readonly IndexedEvent[]): readonly EventBlock[] {
  return packEvents(
    events.map((event) => ({ facts: event, ...event, text: Buffer.from(event.text) })),
  )
}

let made = 0
/** @param time seconds after the start */
function eventOf({ time }: { readonly time: number }): IndexedEvent {
  made += 1
  const text = JSON.stringify({
    userIdentity: { type: 'IAMUser', userName: 'ada', accessKeyId: 'AKIA' },
    eventTime: new Date(start + time * 1000).toISOString(),
    eventSource: 'kms.amazonaws.com',
    eventName: 'Encrypt',
    awsRegion: 'us-west-2',
    eventID: `event ${made}`,
    readOnly: true,
    resources: [],
    recipientAccountId: own,
  })
  const event = indexedEvent(text)
  assert(event)
  return event
}

for (const { name: engine, open } of engines) {
  test(`${engine}: merges of two nodes at one moment lose no posting`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    for (let index = 0; index < 16; index += 1) {
      const position = { stream: 'worker-0', segment: 1, offset: index }
      await saveEventBlocks(database.query, packed([eventOf({ time: index })]), [], position)
    }
    const scope = { accountId: own, region: 'us-west-2' }
    const query = { scope, from: start, until: start + dayMs, limit: 100 }
    for (let at = 1; at <= 8; at += 1) {
      const position = { stream: 'worker-0', segment: 2, offset: at }
      const more = Array.from({ length: 16 }, (_, n) => eventOf({ time: 100 * at + n }))
      for (const event of more) {
        await saveEventBlocks(database.query, packed([event]), [], position)
      }
      const merge = (): Promise<boolean> => mergeEventRuns(database.query)
      await Promise.allSettled([merge(), merge()])
      const { events } = await createEventLookup(store).lookup({ ...query, limit: 1000 })
      assert.equal(events.length, 16 + 16 * at)
    }
    while (await mergeEventRuns(database.query)) continue
    const { events } = await createEventLookup(store).lookup({ ...query, limit: 1000 })
    assert.equal(new Set(events.map(({ eventId }) => eventId)).size, 16 * 9)
  })

  test(`${engine}: a merge deletes no run that another one completes meanwhile`, async (t) => {
    const { database } = await open(t)
    const { store } = storeOf(database)
    for (let index = 0; index < 16; index += 1) {
      const position = { stream: 'worker-0', segment: 1, offset: index }
      await saveEventBlocks(database.query, packed([eventOf({ time: index })]), [], position)
    }
    const isWriting = Promise.withResolvers<undefined>()
    const goOn = Promise.withResolvers<undefined>()
    // It has added the run that it writes.
    const one = mergeEventRuns(
      afterFirst('InsertQueryNode', database.query, async () => {
        isWriting.resolve(undefined)
        await goOn.promise
      }),
    ).catch((error: unknown) => error)
    await isWriting.promise
    // It has seen that run, and has deleted nothing yet.
    await mergeEventRuns(
      afterFirst(undefined, database.query, async () => {
        goOn.resolve(undefined)
        await one
      }),
    )
    const scope = { accountId: own, region: 'us-west-2' }
    const query = { scope, from: start, until: start + dayMs, limit: 1000 }
    const { events } = await createEventLookup(store).lookup(query)
    assert.equal(events.length, 16)
    assert.match(String(await one), /were merged elsewhere/)
    const { pages } = await database.query
      .selectFrom('event_run_pages')
      .select(({ fn }) => fn.countAll<number>().as('pages'))
      .executeTakeFirstOrThrow()
    assert.equal(pages, 1)
  })
}

/** Does something behind the first statement of a kind, or of any. */
function afterFirst(
  kind: RootOperationNode['kind'] | undefined,
  query: Kysely<Schema>,
  act: () => Promise<void>,
): Kysely<Schema> {
  let first: QueryId | undefined
  return query.withPlugin({
    transformQuery({ node, queryId }) {
      if (kind === undefined || node.kind === kind) first ??= queryId
      return node
    },
    async transformResult({ result, queryId }) {
      if (queryId === first) await act()
      return result
    },
  })
}
