/** Questions of operators about access to a key, and the answers. @module */
import type { Reason } from '../../policy/decision.ts'
import type { Explanation } from '../../policy/explain/explain.ts'

export interface AskedAccess {
  readonly caller: string
  readonly action: string
  readonly key: string
  readonly encryptionContext: Readonly<Record<string, string>>
  /** Condition keys of the call in question. */
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
  /** Errors in policies. A policy that cannot be parsed denies. */
  readonly errors: readonly string[]
  readonly change?: NonNullable<Explanation['change']>
}

/** A recorded call. */
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
  /** The decision if the call came now; absent if it cannot be reconstructed. */
  readonly now?: AccessExplanation
  /** Why `now` is absent. */
  readonly unasked?: string
}

export interface WhoCanQuestion {
  readonly key: string
  /** If absent, every action on a key. */
  readonly action?: string
  readonly region: string
  readonly partition: string
  /** Where the previous page ended. */
  readonly after?: string
  /** The only account with principals to list. */
  readonly only?: string
}

export interface Access {
  readonly principal: string
  readonly actions: readonly string[]
  /** The statements or the grant that allow, first those of the key, then those of the caller. */
  readonly by: readonly Reason[]
  /** Present if a permissions boundary limits the principal's identity policies. */
  readonly bounded?: true
}

/** A principal that the key policy or a grant names, and that no row in the store represents. */
export interface NamedPrincipal {
  readonly principal: string
  readonly by: Reason
}

export interface WhoCanPage {
  readonly keyArn: string
  readonly access: readonly Access[]
  /** Listed without a decision, on the first page only. */
  readonly named?: readonly NamedPrincipal[]
  /** Number of principals evaluated for this page. */
  readonly asked: number
  readonly after?: string
}

/** The Region and partition of a question, and the signal that cancels it. */
export interface AskedPlace {
  readonly region: string
  readonly partition: string
  readonly signal: AbortSignal
}

/** Questions of an account about itself. */
export interface OwnExplanations {
  /** @throws {KmsError} `NotFoundException`, `ThrottlingException` */
  call(
    requestId: string,
    where: AskedPlace & { readonly accountId: string },
  ): Promise<CallExplanation>
  /** @throws {KmsError} */
  whoCan(question: WhoCanQuestion, accountId: string, signal: AbortSignal): Promise<WhoCanPage>
}

export interface Explanations {
  readonly own: OwnExplanations
  /** @throws {KmsError} */
  access(asked: AskedAccess, where: AskedPlace): Promise<AccessExplanation>
  /**
   * Explains the newest recorded call with a request id.
   * @param where without an account, all of them are searched
   * @throws {KmsError} `NotFoundException`
   */
  call(
    requestId: string,
    where: AskedPlace & { readonly accountId?: string | undefined },
  ): Promise<CallExplanation>
  /** @param accountId the account in which an id or alias is looked up. @throws {KmsError} */
  whoCan(question: WhoCanQuestion, accountId: string, signal: AbortSignal): Promise<WhoCanPage>
}
