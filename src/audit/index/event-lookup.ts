/**
 * Looks up events of one account and Region in the index, latest first, page by page.
 *
 * Blocks overlap in time, so the events of several blocks are merged: an event is returned once no
 * unopened block can hold a later one.
 * @module
 */
import type { Store } from '../../store/store.ts'
import type { BlockRef, FoundBlocks } from '../../store/tables/event-runs.ts'
import { blockSpanMs, dayOf, unpackEvents } from './event-blocks.ts'
import type { EventLookup, EventQuery, IndexedEvent } from '../../model/audit-event.ts'
import { isIn, tokenOf } from './indexed-event.ts'

type Blocks = Pick<Store, 'listEventBlocks' | 'findEventBlock'>

/** The position of an event in the order of answers, newest first. */
interface EventPosition {
  readonly time: number
  readonly block: number
  readonly ordinal: number
}

interface PlacedEvent extends EventPosition {
  readonly event: IndexedEvent
}

export function createEventLookup(store: Blocks): EventLookup {
  return {
    async lookup(query) {
      const after = query.after === undefined ? undefined : readPosition(query.after)
      const found: PlacedEvent[] = []
      for await (const placed of eventsOf(query, after, store)) {
        found.push(placed)
        if (found.length > query.limit) break
      }
      const page = found.slice(0, query.limit)
      const last = page.at(-1)
      return {
        events: page.map(({ event }) => event),
        ...(found.length > query.limit && last && { next: positionText(last) }),
      }
    },
  }
}

async function* eventsOf(
  query: EventQuery,
  after: EventPosition | undefined,
  store: Blocks,
): AsyncGenerator<PlacedEvent> {
  const { scope, from } = query
  const until = Math.min(query.until, after?.time ?? Infinity)
  /** Events of opened blocks that were not returned yet, the latest last. */
  let pending: PlacedEvent[] = []
  for await (const ref of blocksOf({ scope, from, until }, store)) {
    const next = { time: ref.lastTime, block: ref.block, ordinal: Infinity }
    for (let last = pending.at(-1); last && isLater(last, next); last = pending.at(-1)) {
      pending.pop()
      yield last
    }
    const events = unpackEvents((await store.findEventBlock(ref.block)) ?? new Uint8Array())
    const placed = events
      .map((event, ordinal) => ({ event, time: event.time, block: ref.block, ordinal }))
      .filter(
        (each) =>
          each.time >= from &&
          each.time <= until &&
          (after === undefined || isLater(after, each)) &&
          isIn(each.event, scope),
      )
    pending = [...pending, ...placed].sort((one, other) => (isLater(one, other) ? 1 : -1))
  }
  yield* pending.toReversed()
}

/** Blocks that may hold events of a scope, latest end first. */
async function* blocksOf(
  { scope, from, until }: Pick<EventQuery, 'scope' | 'from' | 'until'>,
  store: Blocks,
): AsyncGenerator<BlockRef> {
  const token = tokenOf(scope)
  for (let day = dayOf(until); day >= dayOf(from); day -= 1) {
    // A block spans at most one hour, so a block that ends later than this begins after the time range.
    let before: BlockRef | undefined = { lastTime: until + blockSpanMs, block: 0 }
    while (before !== undefined) {
      const found: FoundBlocks = await store.listEventBlocks({ day, token, from, until, before })
      yield* found.refs
      before = found.next
    }
  }
}

function isLater(one: EventPosition, other: EventPosition): boolean {
  if (one.time !== other.time) return one.time > other.time
  if (one.block !== other.block) return one.block > other.block
  return one.ordinal > other.ordinal
}

function positionText({ time, block, ordinal }: EventPosition): string {
  return `${time}/${block}/${ordinal}`
}

function readPosition(text: string): EventPosition {
  const [, time, block, ordinal] = /^(-?\d{1,15})\/(\d{1,15})\/(\d{1,15})$/.exec(text) ?? []
  if (ordinal === undefined) throw new RangeError('no place of an event')
  return { time: Number(time), block: Number(block), ordinal: Number(ordinal) }
}
