/**
 * Blocks of the event index: records of one account, Region and hour, compressed together, because
 * records are alike and a hundred take little more space than ten.
 *
 *     content    u8 version (1) ‖ Zstandard of the records' JSON texts, joined by line feeds
 * @module
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { EventBlock } from '../../store/tables/event-index-rows.ts'
import type { EventFacts, EventScope, IndexedEvent } from '../../model/audit-event.ts'
import { attributesOf, indexedEvent, tokenOf } from './indexed-event.ts'

const version = 1
/** The most records that a lookup of one event decompresses. */
const eventsMax = 128
const textBytesMax = 1024 * 1024
/** Bytes of a block: `textBytesMax`, and one more record of the maximum size with its line feed. */
const unpackedBytesMax = textBytesMax + 256 * 1024 + 1
const lineFeed = 0x0a
const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** The longest time span of a block. A lookup by time therefore knows how early a block can begin. */
export const blockSpanMs = hourMs

/** Days since the epoch. */
export function dayOf(time: number): number {
  return Math.floor(time / dayMs)
}

/** An event to pack. Events that differ only in id, time and text may share their facts. */
export interface PackedEvent {
  readonly facts: EventFacts
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly eventId: string
  /** The record's JSON text, in UTF-8. */
  readonly text: Uint8Array
}

interface OpenBlock {
  readonly hour: number
  readonly events: PackedEvent[]
  bytes: number
}

/** Packs events in order, with as many in a block as belong together. */
export function packEvents(events: readonly PackedEvent[]): readonly EventBlock[] {
  const open = new Map<string, OpenBlock>()
  const blocks: EventBlock[] = []
  for (const event of events) {
    const { accountId, region } = event.facts
    const hour = Math.floor(event.time / hourMs)
    const name = `${accountId}/${region}/${hour}`
    const block = open.get(name) ?? { hour, events: [], bytes: 0 }
    if (block.events.length === 0) open.set(name, block)
    block.events.push(event)
    block.bytes += event.text.length + 1
    if (block.events.length < eventsMax && block.bytes < textBytesMax) continue
    blocks.push(pack(block))
    open.delete(name)
  }
  for (const block of open.values()) blocks.push(pack(block))
  return blocks
}

/** The texts of one block. One buffer for all: garbage of this size is collected late. */
let scratch = Buffer.alloc(0)

function pack({ events, bytes, hour }: OpenBlock): EventBlock {
  if (scratch.length < bytes) scratch = Buffer.allocUnsafe(bytes)
  const texts = scratch.subarray(0, bytes)
  let at = 0
  for (const { text } of events) {
    texts.set(text, at)
    texts[at + text.length] = lineFeed
    at += text.length + 1
  }
  const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
  const packed = zstdCompressSync(texts.subarray(0, -1), options)
  const content = Buffer.concat([Buffer.of(version), packed])
  return { day: dayOf(hour * hourMs), content, tokens: tokensOf(events) }
}

type Times = Omit<EventBlock['tokens'][number], 'token'>

/** Each token once, with the times of its first and last event. */
function tokensOf(events: readonly PackedEvent[]): EventBlock['tokens'] {
  const [first] = events
  if (first === undefined) return []
  const { accountId, region } = first.facts // the same for all events of a block
  const byFacts = new Map<EventFacts, Times>()
  const tokens: EventBlock['tokens'][number][] = []
  for (const { facts, time, eventId } of events) {
    byFacts.set(facts, joined(byFacts.get(facts), { firstTime: time, lastTime: time }))
    const attribute = { name: 'EventId', value: eventId } as const
    const token = tokenOf({ accountId, region, attribute })
    tokens.push({ token, firstTime: time, lastTime: time })
  }
  const byAttribute = new Map<string, { readonly scope: EventScope; readonly times: Times }>()
  for (const [facts, times] of byFacts) {
    for (const attribute of [undefined, ...attributesOf(facts)]) {
      const name = attribute === undefined ? '' : `${attribute.name}/${attribute.value}`
      const known = byAttribute.get(name)
      const scope = { accountId, region, ...(attribute && { attribute }) }
      byAttribute.set(name, { scope, times: joined(known?.times, times) })
    }
  }
  for (const { scope, times } of byAttribute.values()) {
    tokens.push({ token: tokenOf(scope), ...times })
  }
  return tokens
}

function joined(known: Times | undefined, { firstTime, lastTime }: Times): Times {
  if (known === undefined) return { firstTime, lastTime }
  if (firstTime >= known.firstTime && lastTime <= known.lastTime) return known
  return {
    firstTime: Math.min(known.firstTime, firstTime),
    lastTime: Math.max(known.lastTime, lastTime),
  }
}

/** The events of a block in order; none if the block cannot be read. */
export function unpackEvents(content: Uint8Array): readonly IndexedEvent[] {
  if (content[0] !== version) return []
  let texts: string
  try {
    const options = { maxOutputLength: unpackedBytesMax }
    texts = zstdDecompressSync(content.subarray(1), options).toString('utf8')
  } catch {
    return [] // an attacker can hide events from the index, not from the journal
  }
  return texts.split('\n').flatMap((text) => indexedEvent(text) ?? [])
}
