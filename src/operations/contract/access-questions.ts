/** What operators ask about access to a key, and what they are told. @module */
import type { Reason } from '../../policy/decision.ts'
import type { Explanation } from '../../policy/explain/explain.ts'

export interface AskedAccess {
  readonly caller: string
  readonly action: string
  readonly key: string
  readonly encryptionContext: Readonly<Record<string, string>>
  /** Condition keys of the call. */
  readonly context: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly grantId?: string
  readonly via?: string
}

export interface AccessExplanation extends Pick<Explanation, 'statements' | 'alternatives'> {
  readonly caller: string
  readonly action: string
  readonly keyArn: string
  readonly decision: 'allow' | 'deny'
  readonly reasons: Explanation['decision']['reasons']
  /** What is broken: a policy that cannot be read denies. */
  readonly errors: readonly string[]
  readonly change?: NonNullable<Explanation['change']>
}

/** A call that was made. */
export interface RecordedCall {
  readonly eventId: string
  readonly eventTime: string
  readonly eventName: string
  readonly requestId: string
  readonly caller: string
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly reasons: readonly (Reason & { readonly action: string })[]
}

export interface CallExplanation {
  readonly call: RecordedCall
  /** How it would be decided now; absent where that cannot be asked. */
  readonly now?: AccessExplanation
  /** Why it cannot be. */
  readonly unasked?: string
}

export interface WhoCanQuestion {
  readonly key: string
  /** Every permission on a key where it is left out. */
  readonly action?: string
  readonly region: string
  readonly partition: string
  /** Where the page before ended. */
  readonly after?: string
}

export interface Access {
  readonly principal: string
  readonly actions: readonly string[]
  /** What allows: the statements, or the grant, from the key's side to the caller's. */
  readonly by: readonly Reason[]
  /** Beyond which the principal's identity policies give nothing. */
  readonly bounded?: true
}

/** Somebody whom the key's policy or a grant names, and who is no row of an account. */
export interface NamedPrincipal {
  readonly principal: string
  readonly by: Reason
}

export interface WhoCanPage {
  readonly keyArn: string
  readonly access: readonly Access[]
  /** Without a decision; in the first page only. */
  readonly named?: readonly NamedPrincipal[]
  /** How many principals this page has asked about. */
  readonly asked: number
  readonly after?: string
}

/** Where a question is asked, and until when its answer is waited for. */
export interface AskedPlace {
  readonly region: string
  readonly partition: string
  readonly signal: AbortSignal
}

export interface Explanations {
  /** @throws {KmsError} */
  access(asked: AskedAccess, where: AskedPlace): Promise<AccessExplanation>
  /** Of a call by its request id, newest first. @throws {KmsError} `NotFoundException` */
  call(
    requestId: string,
    where: AskedPlace & { readonly accountId: string },
  ): Promise<CallExplanation>
  /** @param accountId whose key it is, where an id or an alias names it. @throws {KmsError} */
  whoCan(question: WhoCanQuestion, accountId: string, signal: AbortSignal): Promise<WhoCanPage>
}
