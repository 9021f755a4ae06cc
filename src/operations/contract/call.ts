/**
 * One call as its operation sees it: everything resolved, every permission checked.
 * @module
 */
import type { Caller } from '../../model/caller.ts'
import type { GrantRecord } from '../../model/grant.ts'
import type { GroupRecord } from '../../model/group.ts'
import type { AliasRecord, AliasRef, KeyRecord, KeyRef } from '../../model/key.ts'
import type { FurtherEvent } from '../../model/further-event.ts'
import type { RoleRecord } from '../../model/role.ts'
import type { UserRecord } from '../../model/user.ts'
import type { Transaction } from '../../store/store.ts'

export type ContextEntries = Readonly<Record<string, string | readonly string[] | undefined>>

/** Where a call came from, for conditions. */
export interface Origin {
  readonly sourceAddress: string
  /** True over TLS, or without leaving the machine: `RequestHead`. */
  readonly secure: boolean
  readonly userAgent: string | undefined
  readonly referer: string | undefined
}

/** As the record names them: 64 lower-case hex digits each. */
export interface UsedMaterials {
  readonly keyMaterialId?: string | undefined
  readonly sourceKeyMaterialId?: string | undefined
  readonly destinationKeyMaterialId?: string | undefined
}

/** What a record names. */
export interface Concerned {
  readonly arn: string
  readonly accountId: string
  /** That of a key where it is left out. */
  readonly type?: string
}

/** One call of an operation: everything resolved, every permission checked. */
export interface Call<I, K extends string> {
  readonly input: I
  readonly caller: Caller
  readonly partition: string
  readonly region: string
  readonly origin: Origin
  readonly requestId: string
  /** The keys that the operation declared, in a state and of a usage that it allows. */
  readonly keys: Readonly<Record<K, KeyRecord>>
  /** The alias that the operation declared; `record` is present when it exists. */
  readonly alias?: AliasRef & { readonly record?: AliasRecord }
  /** The user that the operation declared; absent when the caller is meant and is no user. */
  readonly user?: UserRecord
  /** The role that the operation declared. */
  readonly role?: RoleRecord
  /** The group that the operation declared. */
  readonly group?: GroupRecord
  /** The role that the operation declared to assume. */
  readonly assumed?: { readonly record: RoleRecord; readonly arn: string }
  /** The grant that the operation declared. */
  readonly grant?: GrantRecord
  readonly signal: AbortSignal
  /** ARN of a key in the call's partition. */
  readonly arn: (key: KeyRef) => string
  /** Says that the call is about a key that it makes: its record names the key. */
  readonly made: (key: KeyRef) => void
  /** Says whom or what the call is about, where that is no key: its record names it. */
  readonly concerning: (resource: Concerned) => void
  /** Says which materials of symmetric keys the call works with: its record names them. */
  readonly usesMaterials: (materials: UsedMaterials) => void
  /**
   * Says what the service does for the call in another Region, or of itself: one more record, which commits
   * with the change. To be said inside what `commit` runs.
   */
  readonly alsoRecords: (event: FurtherEvent) => void
  /**
   * Changes the store. `work` may run more than once, and answers the operation's output: the audit
   * record of the call commits with it. Called at most once.
   */
  readonly commit: <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>
}
