/** Events that the service causes itself, without a caller. @module */
import type { CustomKeyStoreRef } from './custom-key-store.ts'
import type { KeyRef } from './key.ts'

/** An event in a key's life, in CloudTrail's words: `RotateKey`, `DeleteKey`, … */
export interface ServiceEvent {
  readonly eventName: string
  readonly key: KeyRef
  /** `serviceEventDetails` */
  readonly details?: Readonly<Record<string, unknown>>
  /** `additionalEventData` */
  readonly additional?: Readonly<Record<string, string>>
  /** Whether the record contains the key's ARN in `responseElements`, as for an answer. */
  readonly answersArn?: true
}

/** An event in the life of a custom key store: its connection has been made, has failed or has ended. */
export interface KeyStoreServiceEvent {
  readonly eventName: string
  readonly store: CustomKeyStoreRef
  /** `serviceEventDetails` */
  readonly details: Readonly<Record<string, unknown>>
}

/** An event of the deployment itself, which AWS does not know. */
export interface OwnServiceEvent {
  readonly eventName: string
  /** The account that gets the record. */
  readonly accountId: string
  readonly region: string
  /** `serviceEventDetails` */
  readonly details: Readonly<Record<string, unknown>>
}
