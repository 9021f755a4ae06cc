/** What the activity shows of an event's record. @module */
import type { Event } from '@aws-sdk/client-cloudtrail'

export interface ShownRecord {
  readonly principal?: string | undefined
  readonly source?: string | undefined
  readonly errorCode?: string | undefined
  readonly errorMessage?: string | undefined
  readonly requestId?: string | undefined
}

const known = new WeakMap<Event, ShownRecord>()

/** A record is several kilobytes of JSON: each is read once. */
export function recordOf(event: Event): ShownRecord {
  const before = known.get(event)
  if (before !== undefined) return before
  const read = readRecord(event.CloudTrailEvent ?? '{}')
  known.set(event, read)
  return read
}

function readRecord(text: string): ShownRecord {
  try {
    const record = JSON.parse(text) as {
      readonly userIdentity?: { readonly arn?: string; readonly invokedBy?: string }
      readonly sourceIPAddress?: string
      readonly errorCode?: string
      readonly errorMessage?: string
      readonly requestID?: string
    }
    return {
      principal: record.userIdentity?.arn ?? record.userIdentity?.invokedBy,
      source: record.sourceIPAddress,
      errorCode: record.errorCode,
      errorMessage: record.errorMessage,
      requestId: record.requestID,
    }
  } catch {
    return {}
  }
}

const barsMax = 12

/** Calls in up to twelve equal spans of time, oldest first. */
export function barsOf(
  events: readonly Event[],
): readonly { readonly x: string; readonly y: number }[] {
  const times = events.flatMap(({ EventTime }) => EventTime?.getTime() ?? [])
  if (times.length === 0) return []
  const from = Math.min(...times)
  const span = Math.max(1000, Math.ceil((Math.max(...times) - from + 1) / barsMax))
  const label = new Intl.DateTimeFormat(undefined, {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  const count = Math.ceil((Math.max(...times) - from + 1) / span)
  const bars = Array.from({ length: count }, (_, index) => ({
    x: label.format(from + index * span),
    y: 0,
  }))
  for (const time of times) {
    const bar = bars[Math.floor((time - from) / span)]
    if (bar !== undefined) bar.y += 1
  }
  return bars
}
