/** The alarm when an operator acts in spite of every policy. @module */
import type { Transaction } from '../../store/store.ts'

export interface BreakGlass {
  /** Stores the event for the webhook, if there is one. Call it in the transaction of the change. */
  note(transaction: Transaction): Promise<void>
  /** Sets off the alarm. Call it after the change. */
  done(): void
}
