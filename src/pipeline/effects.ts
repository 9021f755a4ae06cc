/** What an operation says of its call while it runs, beyond its output. @module */
import type { FinishedRecord } from '../audit/records/call-records.ts'
import type { FurtherEvent } from '../model/further-event.ts'
import type { Concerned, UsedMaterials } from '../operations/contract/call.ts'

/** An operation writes these members through its `Call`; the record reads them. */
export interface Effects {
  /** Present when the operation names what the call is about. */
  resources?: readonly Concerned[]
  materials?: UsedMaterials
  /** Present for operations on a custom key store. */
  keyStore?: Readonly<Record<string, string>>
  further: readonly FurtherEvent[]
  /** The records that committed with the call's change, and their time in milliseconds since the epoch. */
  committed?: { readonly records: readonly FinishedRecord[]; readonly recordedAt: number }
  /** True if the store failed before it said whether the change is committed. */
  fateUnknown: boolean
}

export function newEffects(): Effects {
  return { further: [], fateUnknown: false }
}
