/**
 * The records that one call leaves: its own, one for each other account that owns a key or role it
 * used, and those of what the service did for it in another Region.
 *
 * Each account's record has its own event id, and all of them share one `sharedEventID`. A refusal is
 * recorded in the caller's account only.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html
 * @module
 */
import type { RecordFacts } from '../../model/audit-event.ts'
import type { Caller } from '../../model/caller.ts'
import type { Audited } from './audited.ts'
import { accountOf, auditRecord } from './record.ts'

/** A finished record: nothing changes it any more. */
export interface FinishedRecord {
  readonly eventId: string
  /** One JSON text without line breaks. */
  readonly record: string
  /** What the event index needs of it, unless that is rare enough to be read from the record. */
  readonly facts?: RecordFacts | undefined
}

/** Returns the same id for the same name, even when the call is decided again. */
export type IdOf = (name: string) => string

/** Makes a further record of a call: for work in another Region, or by the service. */
export type Further = (eventId: string, audited: Audited) => string

/** The accounts, other than the caller's, that get a record of an authorized call. */
export function otherOwners(resources: Audited['resources'], caller: Caller): readonly string[] {
  const own = accountOf({ caller, resources })
  const others = resources.flatMap(({ accountId }) => (accountId === own ? [] : [accountId]))
  return others.length < 2 ? others : [...new Set(others)]
}

/** The id of the record for another account. */
export function copyIdOf(idOf: IdOf, accountId: string): string {
  return idOf(`copy for ${accountId}`)
}

/** @param owners accounts, other than the caller's, that get a record of the call */
export function callRecords(
  audited: Audited,
  owners: readonly string[],
  further: readonly Further[],
  idOf: IdOf,
): readonly FinishedRecord[] {
  if (owners.length === 0 && further.length === 0) {
    return [{ eventId: audited.eventId, ...auditRecord(audited) }]
  }
  const shared = owners.length === 0 ? audited : { ...audited, sharedEventId: idOf('shared') }
  return [
    { eventId: shared.eventId, ...auditRecord(shared) },
    ...owners.map((owner) => {
      const eventId = copyIdOf(idOf, owner)
      return { eventId, ...auditRecord({ ...shared, eventId, owner }) }
    }),
    ...(audited.outcome.ok ? further : []).map((event, index) => {
      const eventId = idOf(`further ${index}`)
      return { eventId, record: event(eventId, audited) }
    }),
  ]
}

/** Runs `keep` for each record. Most calls leave one record, so no list is built for it. */
export function keepRecords(
  records: readonly FinishedRecord[],
  keep: (eventId: string, record: string, facts?: RecordFacts) => Promise<void>,
): Promise<unknown> {
  const [first, ...more] = records.map(
    ({ eventId, record, facts }) =>
      () =>
        keep(eventId, record, facts),
  )
  if (first === undefined || more.length === 0) return first?.() ?? Promise.resolve()
  return Promise.all([first(), ...more.map((next) => next())])
}
