/** Events that AWS KMS causes itself, without a caller. @module */
import type { KeyRef } from './key.ts'

/** An event in a key's life, in CloudTrail's words: `RotateKey`, `DeleteKey`, … */
export interface ServiceEvent {
  readonly eventName: string
  readonly key: KeyRef
  /** `serviceEventDetails` */
  readonly details?: Readonly<Record<string, unknown>>
  /** Whether the record contains the key's ARN in `responseElements`, as for an answer. */
  readonly answersArn?: true
}
