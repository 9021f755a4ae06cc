/**
 * The call that an operation runs: its input, caller and keys, resolved and authorized.
 * @module
 */
import type { KeyPlace, KeyStore } from '../../keystores/keystore.ts'
import type { Caller } from '../../model/caller.ts'
import type { GrantRecord } from '../../model/grant.ts'
import type { GroupRecord } from '../../model/group.ts'
import type { AliasRecord, AliasRef, KeyRecord, KeyRef } from '../../model/key.ts'
import type { FurtherEvent } from '../../model/further-event.ts'
import type { RoleRecord } from '../../model/role.ts'
import type { UserRecord } from '../../model/user.ts'
import type { Transaction } from '../../store/store.ts'

export type ContextEntries = Readonly<Record<string, string | readonly string[] | undefined>>

/** Where a call came from, for policy conditions. */
export interface Origin {
  readonly sourceAddress: string
  /** True over TLS and for connections within the machine; see `RequestHead`. */
  readonly secure: boolean
  readonly userAgent: string | undefined
  readonly referer: string | undefined
}

/** Key material ids for the audit record, 64 lower-case hex digits each. */
export interface UsedMaterials {
  readonly keyMaterialId?: string | undefined
  readonly sourceKeyMaterialId?: string | undefined
  readonly destinationKeyMaterialId?: string | undefined
}

/** A resource that the audit record names. */
export interface Concerned {
  readonly arn: string
  readonly accountId: string
  /** The resource type; by default that of a key. */
  readonly type?: string
}

/** One call of an operation, after it was resolved and authorized. */
export interface Call<I, K extends string> {
  readonly input: I
  readonly caller: Caller
  readonly partition: string
  readonly region: string
  readonly origin: Origin
  readonly requestId: string
  /** AWS's name of the operation. */
  readonly operation: string
  /** The keys that the operation declares, in a state and with a usage that it allows. */
  readonly keys: Readonly<Record<K, KeyRecord>>
  /** The alias that the operation declares; `record` is present if the alias exists. */
  readonly alias?: AliasRef & { readonly record?: AliasRecord }
  /** The user that the operation declares; absent if it defaults to a caller that is not a user. */
  readonly user?: UserRecord
  /** The role that the operation declares. */
  readonly role?: RoleRecord
  /** The group that the operation declares. */
  readonly group?: GroupRecord
  /** The role to assume that the operation declares. */
  readonly assumed?: { readonly record: RoleRecord; readonly arn: string }
  /** The grant that the operation declares. */
  readonly grant?: GrantRecord
  readonly signal: AbortSignal
  /** Returns the key store of a key, which its origin decides. */
  readonly keyStoreOf: (key: KeyPlace) => KeyStore
  /** Formats the ARN of a key in the call's partition. */
  readonly arn: (key: KeyRef) => string
  /** Adds a key that the call creates to the audit record. */
  readonly made: (key: KeyRef) => void
  /** Adds a resource other than a key to the audit record. */
  readonly concerning: (resource: Concerned) => void
  /** Adds the symmetric key materials that the call uses to the audit record. */
  readonly usesMaterials: (materials: UsedMaterials) => void
  /**
   * Says that the call is about a custom key store. The audit record gets the members, and names no
   * resources.
   */
  readonly aboutKeyStore: (members: Readonly<Record<string, string>>) => void
  /**
   * Adds an audit record for something that the service does on behalf of the call, in another Region or on
   * its own. It commits with the change, so call it only inside the function passed to `commit`.
   */
  readonly alsoRecords: (event: FurtherEvent) => void
  /**
   * Changes the store in a transaction, together with the audit record of the call. `work` may run more
   * than once, and returns the operation's output. Call it at most once.
   */
  readonly commit: <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>
}
