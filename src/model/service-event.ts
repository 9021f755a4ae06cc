/** What AWS KMS does of itself, for no caller. @module */
import type { KeyRef } from './key.ts'

/** What happens to a key, in CloudTrail's words: `RotateKey`, `DeleteKey`, … */
export interface ServiceEvent {
  readonly eventName: string
  readonly key: KeyRef
  /** `serviceEventDetails` */
  readonly details?: Readonly<Record<string, unknown>>
  /** Whether it tells the key's ARN as an answer would: `responseElements`. */
  readonly answersArn?: true
}
