/** What is recorded beside a call's own record. @module */
import type { KeyRef } from './key.ts'
import type { ServiceEvent } from './service-event.ts'

/** An event in another Region that a call leads to: ReplicateKey's CreateKey. */
export interface ForwardedEvent {
  /** The service whose event it is, where that is not the call's. */
  readonly service?: 'iam'
  readonly eventName: string
  readonly region: string
  readonly requestParameters: Readonly<Record<string, unknown>>
  readonly responseElements: Readonly<Record<string, unknown>>
  readonly keys: readonly KeyRef[]
}

/** What is recorded beside a call's own record. */
export type FurtherEvent = ForwardedEvent | ServiceEvent
