/**
 * The events under which the keys of a call are used: `docs/adr/0010-records-of-accounts.md`.
 * @module
 */
import type { KeyRecord, KeyRef } from '../../model/key.ts'
import type { TrackedOperation } from '../../model/last-usage.ts'
import type { Operation } from '../../operations/contract/operation.ts'

/** A use of one key, if the call succeeds. */
export interface KeyEvent {
  readonly key: KeyRecord
  readonly operation: TrackedOperation
  /** The record's own id, or one that the record holds beside it. */
  readonly eventId: string
}

/**
 * One event a key, none for an operation that does not count as a use. The id of an account's record
 * stands for the first key of that account; every other key has an id of its own.
 */
export function keyEvents(
  { tracksUsage }: Operation,
  keys: Iterable<KeyRecord>,
  ids: {
    /** The id of the record that an account has of the call. */
    readonly recordOf: (accountId: string) => string
    readonly next: () => string
  },
): readonly KeyEvent[] {
  if (tracksUsage === undefined) return []
  const events: KeyEvent[] = []
  for (const key of keys) {
    if (events.some((event) => isSameKey(event.key, key))) continue
    const taken = events.some((event) => event.key.accountId === key.accountId)
    const eventId = taken ? ids.next() : ids.recordOf(key.accountId)
    events.push({ key, operation: tracksUsage, eventId })
  }
  return events
}

function isSameKey(one: KeyRef, other: KeyRef): boolean {
  return (
    one.accountId === other.accountId && one.region === other.region && one.keyId === other.keyId
  )
}
