/** What the identifiers of a call resolve to. @module */
import type { Caller } from '../model/caller.ts'
import type { Grant } from '../policy/decision.ts'
import type { GrantRecord } from '../model/grant.ts'
import type { AliasRecord, AliasRef } from '../model/key.ts'
import type { KeyUse } from '../operations/contract/operation.ts'
import type { AssumedRole } from './assumed-roles.ts'
import type { GrantTokens } from './grant-tokens.ts'
import type { RequestScope } from '../model/identifiers.ts'
import type { UnmadeKey } from '../lifecycle/managed-keys.ts'
import type { Store } from '../store/store.ts'
import type { NamedIdentities } from './identities.ts'
import type { CachedKey, Lookup } from '../cache/cached-records.ts'

export interface ResolvedKey {
  readonly use: KeyUse
  /** How the call named it: decides the words of a refusal. */
  readonly namedBy: 'identifier' | 'ciphertext'
  /** `alias/…` when the call used an alias. */
  readonly requestAlias?: string
  /** Absent: there is no such key, or none that this caller may know of. */
  readonly known?: CachedKey
  /** Present while `known` is only what the key would be. */
  readonly unmade?: UnmadeKey
  /** The names of its aliases, where a policy that is asked speaks of them. */
  readonly aliasNames?: readonly string[]
  /** The call named it by the ARN of its relative in another Region, as no call can. */
  readonly elsewhere?: true
  /** Grants of the key that give the call to the caller. */
  readonly grants?: readonly Grant[]
}

export interface ResolvedKeys {
  readonly keys: ReadonlyMap<string, ResolvedKey>
  readonly alias?: AliasRef & { readonly record?: AliasRecord }
  /** The grant that the operation names itself. */
  readonly grant?: GrantRecord
}

/** The same with the identities that an operation of IAM names. */
export interface ResolvedNames extends ResolvedKeys {
  readonly identities: NamedIdentities
  /** The role that the call is to assume. */
  readonly assumed?: AssumedRole
}

/** Who calls, where, and where what is named can be found. */
export interface Resolving {
  readonly caller: Caller
  readonly scope: RequestScope
  readonly lookup: Lookup
  readonly grantTokens: Pick<GrantTokens, 'find'>
  readonly findGrant: Store['findGrant']
  /** The resource on whose behalf a service calls, where the caller does not say it. */
  readonly sourceArn?: string | undefined
  /** Grants that are answered for each of the caller's names: one decides; explanations look at more. */
  readonly grantsMax?: number
}
