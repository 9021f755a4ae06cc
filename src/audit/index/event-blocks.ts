/**
 * Blocks of the event index: records of one account, Region and hour, compressed together, because
 * records are alike and a hundred take little more space than ten.
 *
 *     content    u8 version (1) ‖ raw DEFLATE of the records' JSON texts, joined by line feeds
 * @module
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { EventBlock } from '../../store/tables/event-index-rows.ts'
import { lookupAttributes, type IndexedEvent } from '../../model/audit-event.ts'
import { indexedEvent, tokenOf, valuesOf } from './indexed-event.ts'

const version = 1
/** The most records that a lookup of one event decompresses. */
const eventsMax = 128
const textMax = 1024 * 1024
/** Bytes of a block: `textMax`, and one more record of the maximum size with its line feed. */
const unpackedBytesMax = 4 * (textMax + 256 * 1024)
const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** The longest time span of a block. A lookup by time therefore knows how early a block can begin. */
export const blockSpanMs = hourMs

/** Days since the epoch. */
export function dayOf(time: number): number {
  return Math.floor(time / dayMs)
}

/** Packs events in order, with as many in a block as belong together. */
export function packEvents(events: readonly IndexedEvent[]): readonly EventBlock[] {
  const open = new Map<string, { events: IndexedEvent[]; characters: number }>()
  const blocks: EventBlock[] = []
  for (const event of events) {
    const name = `${event.accountId}/${event.region}/${Math.floor(event.time / hourMs)}`
    const group = open.get(name) ?? { events: [], characters: 0 }
    if (group.events.length === 0) open.set(name, group)
    group.events.push(event)
    group.characters += event.text.length
    if (group.events.length < eventsMax && group.characters < textMax) continue
    blocks.push(pack(group.events))
    open.delete(name)
  }
  for (const group of open.values()) blocks.push(pack(group.events))
  return blocks
}

function pack(events: readonly IndexedEvent[]): EventBlock {
  const texts = Buffer.from(events.map(({ text }) => text).join('\n'))
  const content = Buffer.concat([Buffer.of(version), deflateRawSync(texts, { level: 3 })])
  return { day: dayOf(events[0]?.time ?? 0), content, tokens: tokensOf(events) }
}

/** Each token once, with the times of its first and last event. */
function tokensOf(events: readonly IndexedEvent[]): EventBlock['tokens'] {
  const scopes = new Map<string, { token: Buffer; firstTime: number; lastTime: number }>()
  const note = (event: IndexedEvent, name: string, make: () => Buffer): void => {
    const { time } = event
    const known = scopes.get(name)
    if (known === undefined) {
      scopes.set(name, { token: make(), firstTime: time, lastTime: time })
      return
    }
    known.firstTime = Math.min(known.firstTime, time)
    known.lastTime = Math.max(known.lastTime, time)
  }
  for (const event of events) {
    const { accountId, region } = event
    note(event, '', () => tokenOf({ accountId, region }))
    for (const name of lookupAttributes) {
      for (const value of valuesOf(event, name)) {
        const attribute = { name, value }
        note(event, `${name}/${value}`, () => tokenOf({ accountId, region, attribute }))
      }
    }
  }
  return [...scopes.values()]
}

/** The events of a block in order; none if the block cannot be read. */
export function unpackEvents(content: Uint8Array): readonly IndexedEvent[] {
  if (content[0] !== version) return []
  let texts: string
  try {
    const options = { maxOutputLength: unpackedBytesMax }
    texts = inflateRawSync(content.subarray(1), options).toString('utf8')
  } catch {
    return [] // an attacker can hide events from the index, not from the journal
  }
  return texts.split('\n').flatMap((text) => indexedEvent(text) ?? [])
}
