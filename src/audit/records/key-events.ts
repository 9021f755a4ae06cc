/**
 * The event ids under which a call's keys are used: see `docs/adr/0010-records-of-accounts.md`.
 * @module
 */
import type { KeyRecord, KeyRef } from '../../model/key.ts'
import type { TrackedOperation } from '../../model/last-usage.ts'
import type { Operation } from '../../operations/contract/operation.ts'

/** The use of one key, valid if the call succeeds. */
export interface KeyEvent {
  readonly key: KeyRecord
  readonly operation: TrackedOperation
  /** The record's own id, or another id that the record holds. */
  readonly eventId: string
}

/**
 * One event for each key; none if the operation does not count as a use. The first key of an account
 * uses the id of that account's record, and every other key gets its own id.
 */
export function keyEvents(
  { tracksUsage }: Operation,
  keys: Iterable<KeyRecord>,
  ids: {
    /** The id of the account's record of the call. */
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
