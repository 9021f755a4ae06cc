/**
 * The records that one call leaves: its own, one for each other account whose key or role it used, and
 * those of what the service did for it in another Region.
 *
 * Where there are several accounts, each has a record of its own with an id of its own, and all bear one
 * `sharedEventID`; a refusal is the caller's own affair.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html
 * @module
 */
import type { Caller } from '../../model/caller.ts'
import { accountOf, auditRecord, type Audited } from './record.ts'

/** A record that nothing changes any more. */
export interface FinishedRecord {
  readonly eventId: string
  /** One JSON text without line breaks. */
  readonly record: string
}

/** Answers the same id for the same name, however often the call decides again. */
export type IdOf = (name: string) => string

/** Makes one more record of a call: of what was done for it in another Region, or by the service. */
export type Further = (eventId: string, audited: Audited) => string

/** The accounts beside the caller's that learn of a call which was authorized. */
export function otherOwners(resources: Audited['resources'], caller: Caller): readonly string[] {
  const own = accountOf({ caller, resources })
  const others = resources.flatMap(({ accountId }) => (accountId === own ? [] : [accountId]))
  return others.length < 2 ? others : [...new Set(others)]
}

/** The id of the record for another account. */
export function copyIdOf(idOf: IdOf, accountId: string): string {
  return idOf(`copy for ${accountId}`)
}

/** @param owners accounts that learn of the call beside the caller's */
export function callRecords(
  audited: Audited,
  owners: readonly string[],
  further: readonly Further[],
  idOf: IdOf,
): readonly FinishedRecord[] {
  if (owners.length === 0 && further.length === 0) {
    return [{ eventId: audited.eventId, record: auditRecord(audited) }]
  }
  const shared = owners.length === 0 ? audited : { ...audited, sharedEventId: idOf('shared') }
  return [
    { eventId: shared.eventId, record: auditRecord(shared) },
    ...owners.map((owner) => {
      const eventId = copyIdOf(idOf, owner)
      return { eventId, record: auditRecord({ ...shared, eventId, owner }) }
    }),
    ...(audited.outcome.ok ? further : []).map((event, index) => {
      const eventId = idOf(`further ${index}`)
      return { eventId, record: event(eventId, audited) }
    }),
  ]
}

/** Keeps each record. Most calls leave one record: nothing is gathered for it. */
export function keepRecords(
  records: readonly FinishedRecord[],
  keep: (eventId: string, record: string) => Promise<void>,
): Promise<unknown> {
  const [first, ...more] = records.map(
    ({ eventId, record }) =>
      () =>
        keep(eventId, record),
  )
  if (first === undefined || more.length === 0) return first?.() ?? Promise.resolve()
  return Promise.all([first(), ...more.map((next) => next())])
}
