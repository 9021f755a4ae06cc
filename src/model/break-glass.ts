/** An operator acts in spite of every policy. That is rare, sets off an alarm and is recorded. @module */

export const breakGlassActs = ['unlock-key', 'reset-root'] as const

export interface BreakGlassAct {
  readonly act: (typeof breakGlassActs)[number]
  /** The account that it is done to. */
  readonly accountId: string
  readonly region: string
  /** The key, or the account's root user. */
  readonly arn: string
  /** Who does it. */
  readonly operator: string
}
