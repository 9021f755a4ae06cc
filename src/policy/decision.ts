/**
 * The final signature of authorization: caller, action, resource, context, policies and grants go in,
 * a decision with its reasons comes out. Pure: no clock, no database; it never throws.
 * @module
 */
import type { Caller } from '../model/caller.ts'
import type { GrantConstraints } from '../model/grant.ts'
import type { CompiledPolicy } from './compile.ts'
import type { Undecided } from './undecided.ts'
import type { Work } from './work.ts'
import type { Context } from './context-values.ts'

export interface Resource {
  /** `*` for what no key or alias is the resource of. */
  readonly arn: string
  /** The account that owns it. */
  readonly accountId: string
}

export interface AuthorizationRequest {
  readonly caller: Caller
  /** For example `kms:Encrypt`. */
  readonly action: string
  readonly resource: Resource
  readonly context: Context
  /** The encryption context of the call on this key, as it is written: for constraints of grants. */
  readonly encryptionContext?: Readonly<Record<string, string>>
  /** What `kms:CreateGrant` would give: no grant allows more than it gives itself. */
  readonly requestedGrant?: RequestedGrant
  /** What the decision may take; shared with the other decisions of its call. Its own if left out. */
  readonly work?: Work
}

/** All of a grant that decides how wide it is. */
export interface RequestedGrant {
  /** For example `Encrypt`, `ReEncryptFrom`. */
  readonly operations: readonly string[]
  readonly constraints?: GrantConstraints
}

/** Everything that may speak about one request. A policy that is broken denies, whichever it is. */
export interface Policies {
  /** The key policy; absent for actions on no key, and for one that is broken or missing (deny). */
  readonly resource?: CompiledPolicy
  /**
   * Unique id of each principal that the key policy names, by ARN, when it was written: a namesake of
   * a principal that is gone inherits nothing. One that is not listed here matches no Allow.
   */
  readonly resourcePrincipals?: Readonly<Record<string, string>>
  /** True where no resource-based policy exists by nature: aliases, `*`. */
  readonly identityOnly: boolean
  readonly identity: readonly CompiledPolicy[]
  readonly boundary?: CompiledPolicy
  /** Present for sessions made with policies: one of them must allow. */
  readonly session?: readonly CompiledPolicy[]
  /** Of the caller's account, level by level of its organisation: one policy of each must allow. */
  readonly serviceControl?: readonly (readonly CompiledPolicy[])[]
  /** Of the resource's account: they deny, and allow nothing. */
  readonly resourceControl?: readonly CompiledPolicy[]
}

/** An allow-only permission on a key. */
export interface Grant extends RequestedGrant {
  readonly grantId: string
  /** An ARN, or an infrastructure principal; absent where the grantee is a service. */
  readonly granteePrincipal?: string
  /** The grantee's unique id when the grant was made; decides, where present, beside the ARN. */
  readonly granteeId?: string
  readonly granteeServicePrincipal?: string
  /** The account that issued it; the key's own where it is left out. */
  readonly issuingAccountId?: string
  /** The ARN of who may retire it. */
  readonly retiringPrincipal?: string
  readonly retiringId?: string
  readonly retiringServicePrincipal?: string
}

/** Why: which policy and statement, or what was missing. */
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
  /** The statement's Sid, or its place as `#0`; absent when nothing matched. */
  readonly statement?: string
  /** Which policy, where it is one of several: `inline policy x`. */
  readonly source?: string
  /** Why the statement could not be decided: it goes against the caller. */
  readonly undecided?: Undecided
}

export interface Decision {
  readonly decision: 'allow' | 'deny'
  /** The first is the one that AWS's refusal names; empty only when authorization itself failed. */
  readonly reasons: readonly Reason[]
  /** What was broken on the way, for the log: never shown to the caller. */
  readonly errors: readonly string[]
}
