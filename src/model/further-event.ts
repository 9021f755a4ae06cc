/** Audit events that a call records in addition to its own. @module */
import type { KeyRef } from './key.ts'
import type { ServiceEvent } from './service-event.ts'

/** An event in another Region that a call leads to, for example the CreateKey of a ReplicateKey. */
export interface ForwardedEvent {
  /** The service that the event belongs to, if it is not the call's. */
  readonly service?: 'iam'
  readonly eventName: string
  readonly region: string
  readonly requestParameters: Readonly<Record<string, unknown>>
  readonly responseElements: Readonly<Record<string, unknown>>
  readonly keys: readonly KeyRef[]
}

/** An audit event that a call records in addition to its own. */
export type FurtherEvent = ForwardedEvent | ServiceEvent
