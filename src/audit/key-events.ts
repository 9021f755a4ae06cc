/**
 * The events under which the keys of a call are used: `docs/adr/0006-key-events.md`.
 * @module
 */
import type { KeyRecord, KeyRef } from '../model/key.ts'
import type { TrackedOperation } from '../model/last-usage.ts'
import type { Operation } from '../operations/operation.ts'

/** A use of one key, if the call succeeds. */
export interface KeyEvent {
  readonly key: KeyRecord
  readonly operation: TrackedOperation
  /** The record's own id, or one that the record holds beside it. */
  readonly eventId: string
}

/**
 * One event a key, none for an operation that does not count as a use. The record's own id stands for
 * the first key of the caller's account; every other key has an id of its own.
 */
export function keyEvents(
  { tracksUsage }: Operation,
  keys: Iterable<KeyRecord>,
  caller: { readonly accountId: string },
  ids: { readonly record: string; readonly next: () => string },
): readonly KeyEvent[] {
  if (tracksUsage === undefined) return []
  const events: KeyEvent[] = []
  let free = true
  for (const key of keys) {
    if (events.some((event) => isSameKey(event.key, key))) continue
    const own = free && key.accountId === caller.accountId
    if (own) free = false
    events.push({ key, operation: tracksUsage, eventId: own ? ids.record : ids.next() })
  }
  return events
}

function isSameKey(one: KeyRef, other: KeyRef): boolean {
  return (
    one.accountId === other.accountId && one.region === other.region && one.keyId === other.keyId
  )
}
