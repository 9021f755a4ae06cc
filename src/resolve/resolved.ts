/** Types of resolved names: keys, aliases, grants and roles. @module */
import type { Caller } from '../model/caller.ts'
import type { Grant } from '../policy/decision.ts'
import type { GrantRecord } from '../model/grant.ts'
import type { AliasRecord, AliasRef } from '../model/key.ts'
import type { KeyUse } from '../operations/contract/operation.ts'
import type { GrantTokens } from './grant-tokens.ts'
import type { RequestScope } from '../model/identifiers.ts'
import type { UnmadeKey } from '../lifecycle/managed-keys.ts'
import type { Store } from '../store/store.ts'
import type { NamedIdentities } from './identities.ts'
import type { CachedKey, Lookup, CachedRole } from '../cache/cached-records.ts'
import type { ContextEntries } from '../operations/contract/call.ts'

export interface ResolvedKey {
  readonly use: KeyUse
  /** How the call named the key. It decides the words of a refusal. */
  readonly namedBy: 'identifier' | 'ciphertext'
  /** `alias/…` when the call used an alias. */
  readonly requestAlias?: string
  /** Absent when the key does not exist, or must stay hidden from this caller. */
  readonly known?: CachedKey
  /** Present when the key does not exist yet. `known` is the key as it would be created. */
  readonly unmade?: UnmadeKey
  /** The key's alias names, when a policy in question uses them. */
  readonly aliasNames?: readonly string[]
  /** The call named the key by the ARN of its relative in another Region, which no call supports. */
  readonly elsewhere?: true
  /** Grants of the key that allow the call to the caller. */
  readonly grants?: readonly Grant[]
}

export interface ResolvedKeys {
  readonly keys: ReadonlyMap<string, ResolvedKey>
  readonly alias?: AliasRef & { readonly record?: AliasRecord }
  /** The grant that the call names. */
  readonly grant?: GrantRecord
}

/** Resolved keys, and the identities that an IAM operation names. */
export interface ResolvedNames extends ResolvedKeys {
  readonly identities: NamedIdentities
  /** The first key of the call that does not exist yet, and that AWS would create. */
  readonly unmade?: UnmadeKey
  /** The role that the call is to assume. */
  readonly assumed?: AssumedRole
}

/** The caller, the scope, and the places where names are looked up. */
export interface Resolving {
  readonly caller: Caller
  readonly scope: RequestScope
  readonly lookup: Lookup
  readonly grantTokens: Pick<GrantTokens, 'find'>
  readonly findGrant: Store['findGrant']
  /** The resource for which a service calls, when the caller does not name it. */
  readonly sourceArn?: string | undefined
  /** Maximum grants for each of the caller's names. Deciding needs one; explanations read more. */
  readonly grantsMax?: number
}

export interface AssumedRole {
  readonly actions: readonly string[]
  readonly arn: string
  readonly accountId: string
  /** Absent when the role does not exist. */
  readonly known?: CachedRole
  /** The role's tags, as condition keys. */
  readonly entries: ContextEntries
}
