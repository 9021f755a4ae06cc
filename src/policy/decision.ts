/**
 * The types of authorization: caller, action, resource, context, policies and grants as input, a
 * decision with reasons as output. It is pure, without clock or database, and never throws.
 * @module
 */
import type { Caller } from '../model/caller.ts'
import type { GrantConstraints } from '../model/grant.ts'
import type { CompiledPolicy } from './compile.ts'
import type { Undecided } from './undecided.ts'
import type { Work } from './work.ts'
import type { Context } from './context-values.ts'

export interface Resource {
  /** The ARN, or `*` for actions on no key or alias. */
  readonly arn: string
  /** The account that owns the resource. */
  readonly accountId: string
}

export interface AuthorizationRequest {
  readonly caller: Caller
  /** For example `kms:Encrypt`. */
  readonly action: string
  readonly resource: Resource
  readonly context: Context
  /** The encryption context of the call on this key, as written, for grant constraints. */
  readonly encryptionContext?: Readonly<Record<string, string>>
  /** The grant that `kms:CreateGrant` would create. No grant allows a wider one than itself. */
  readonly requestedGrant?: RequestedGrant
  /** The work limit, shared with the call's other decisions. The decision has its own when it is absent. */
  readonly work?: Work
}

/** The parts of a grant that decide how wide it is. */
export interface RequestedGrant {
  /** For example `Encrypt`, `ReEncryptFrom`. */
  readonly operations: readonly string[]
  readonly constraints?: GrantConstraints
}

/** All policies for one request. A broken policy denies, whichever it is. */
export interface Policies {
  /** The key policy. Absent for actions on no key, and for a missing policy (deny). */
  readonly resource?: CompiledPolicy
  /**
   * The unique id of each principal of the key policy, by ARN, from when it was written. A new
   * principal with a deleted one's name inherits nothing. An ARN without an entry matches no Allow.
   */
  readonly resourcePrincipals?: Readonly<Record<string, string>>
  /** True for resources that cannot have a policy: aliases, `*`. */
  readonly identityOnly: boolean
  readonly identity: readonly CompiledPolicy[]
  readonly boundary?: CompiledPolicy
  /** Present for sessions with policies of their own. One of them must allow. */
  readonly session?: readonly CompiledPolicy[]
  /** For the caller's account, by level of its organisation. One policy of each level must allow. */
  readonly serviceControl?: readonly (readonly CompiledPolicy[])[]
  /** For the resource's account. They only deny. */
  readonly resourceControl?: readonly CompiledPolicy[]
}

/** A grant: an allow-only permission on a key. */
export interface Grant extends RequestedGrant {
  readonly grantId: string
  /** An ARN, or an infrastructure principal; absent when the grantee is a service. */
  readonly granteePrincipal?: string
  /**
   * The grantee's unique id when the grant was created. When present, it must match in addition to the
   * ARN.
   */
  readonly granteeId?: string
  readonly granteeServicePrincipal?: string
  /** The issuing account; the key's own account when absent. */
  readonly issuingAccountId?: string
  /** The ARN of the principal that may retire it. */
  readonly retiringPrincipal?: string
  readonly retiringId?: string
  readonly retiringServicePrincipal?: string
}

/** A reason: the policy and statement, or what is missing. */
export interface Reason {
  readonly effect: 'allow' | 'explicit-deny' | 'implicit-deny'
  readonly policy:
    | 'identity'
    | 'resource'
    | 'boundary'
    | 'session'
    | 'grant'
    | 'service-control'
    | 'resource-control'
  /** The statement's Sid, or its index as `#0`; absent when nothing matched. */
  readonly statement?: string
  /** The policy's name when there are several: `inline policy x`. */
  readonly source?: string
  /** Why the statement is undecided, which goes against the caller. */
  readonly undecided?: Undecided
}

export interface Decision {
  readonly decision: 'allow' | 'deny'
  /** AWS's refusal names the first reason. Empty only when authorization itself failed. */
  readonly reasons: readonly Reason[]
  /** Faults for the log. Never shown to the caller. */
  readonly errors: readonly string[]
}
