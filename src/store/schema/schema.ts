/**
 * The tables as Kysely sees them; `migrations/` creates them. Column types mean the same in every
 * engine: text, whole numbers up to 2^53 − 1, bytes. Times are milliseconds since the epoch.
 *
 * Tables with a `row_tag` contain rows that decide something. The tag covers every other column
 * (`bound-rows.ts`).
 * @module
 */
import type { GrantBucketsTable, GrantsTable } from './grant-tables.ts'
import type { Generated } from 'kysely'
import type { EventIndexTables } from './event-index-schema.ts'
import type { AccessKeysTable, ServicesTable } from './credential-tables.ts'
import type { DeletedKeysTable, DeletedMaterialsTable } from './deleted-tables.ts'
import type {
  AuditWritersTable,
  DeliveryCursorsTable,
  DeliveryFilesTable,
  DigestChainsTable,
  DigestKeysTable,
  TrailsTable,
  TrailStatusTable,
} from './trail-schema.ts'

/** One row: the deployment of this database. */
export interface DeploymentTable {
  readonly id: number
  readonly deployment_id: string
  readonly created_at: number
}

/** The sealed root key. The row with the highest generation is the current one. */
export interface SealsTable {
  readonly generation: number
  readonly kind: string
  readonly sealed_root_key: Uint8Array
}

export interface DomainKeysTable {
  readonly version: number
  readonly wrapped: Uint8Array
  readonly created_at: number
}

export interface AccountsTable {
  readonly account_id: string
  /** Null if it has none. */
  readonly alias: string | null
  /** Null for an account outside any organization, like the three columns below. */
  readonly organization_id: string | null
  readonly organization_unit: string | null
  /** JSON: a list of documents for each level. */
  readonly service_control_policies: string | null
  /** JSON: a list of documents. */
  readonly resource_control_policies: string | null
  readonly created_at: number
  readonly row_version: number
  readonly row_tag: Uint8Array
}

/** Columns that users, roles and groups share. */
export interface IdentityColumns {
  readonly account_id: string
  readonly name: string
  /** The name in lower case: names may not differ only in case. */
  readonly folded_name: string
  readonly path: string
  /**
   * A JSON object from name to document. It is in the identity's row so that the row's tag covers
   * it.
   */
  readonly inline_policies: string
  /** A JSON array of the unique ids of managed policies. */
  readonly attached_policies: string
  /** A JSON array. */
  readonly tags: string
  /** The unique id of a managed policy. */
  readonly permissions_boundary: string | null
  readonly created_at: number
  readonly row_version: number
}

export interface UsersTable extends IdentityColumns {
  readonly user_id: string
  /** A JSON array of the unique ids of groups; null if there are none. */
  readonly groups: string | null
  readonly sessions_revoked_at: number | null
  readonly row_tag: Uint8Array
}

export interface GroupsTable extends IdentityColumns {
  readonly group_id: string
  readonly row_tag: Uint8Array
}

export interface RolesTable extends IdentityColumns {
  readonly role_id: string
  readonly trust_policy: string
  /** A JSON object from ARN to unique id. */
  readonly trust_principals: string
  /** A JSON string, like a key's description. */
  readonly description: string
  readonly max_session_seconds: number
  readonly sessions_revoked_at: number | null
  readonly service_linked: string | null
  readonly row_tag: Uint8Array
}

export interface ManagedPoliciesTable {
  readonly policy_id: string
  readonly account_id: string
  readonly name: string
  /** The name in lower case: names may not differ only in case. */
  readonly folded_name: string
  readonly path: string
  /** A JSON string, like a key's description. */
  readonly description: string
  /** A JSON array. It is in the policy's row so that the row's tag covers it. */
  readonly versions: string
  readonly default_version_id: string
  readonly next_version: number
  readonly attachments: number
  /** Null for zero, as in rows from before the column existed. */
  readonly boundaries: number | null
  /** A JSON array; null if there are none. */
  readonly tags: string | null
  readonly created_at: number
  readonly updated_at: number
  readonly row_version: number
  readonly row_tag: Uint8Array
}

/** Providers of identity tokens. Roles decide who may trust one. */
export interface OidcProvidersTable {
  readonly account_id: string
  /** The URL without its scheme. */
  readonly name: string
  readonly url: string
  /** A JSON array. */
  readonly client_ids: string
  /** A JSON array. */
  readonly thumbprints: string
  /** A JSON array. */
  readonly tags: string
  readonly created_at: number
  readonly row_version: number
  readonly row_tag: Uint8Array
}

/**
 * The last use of an access key; absent if it was never used. It decides nothing, so it has no row
 * tag.
 */
export interface AccessKeyUsageTable {
  readonly access_key_id: string
  readonly service: string
  readonly region: string
  readonly used_at: number
}

/**
 * The last use of a role; absent if it was never used. It decides nothing, so it has no row tag.
 */
export interface RoleUsageTable {
  readonly role_id: string
  readonly region: string
  readonly used_at: number
}

export interface KeysTable {
  readonly account_id: string
  readonly region: string
  readonly key_id: string
  readonly spec: string
  readonly usage: string
  readonly origin: string
  readonly manager: string
  readonly state: string
  /** A JSON string, because a description may contain U+0000, which PostgreSQL's text cannot. */
  readonly description: string
  readonly created_at: number
  readonly deletion_date: number | null
  readonly pending_window_days: number | null
  readonly primary_region: string | null
  readonly current_material_id: string | null
  readonly policy: string
  /**
   * A JSON object from ARN to unique id. It is in the key's row so that the row's tag covers it.
   */
  readonly policy_principals: string
  /** A JSON array of tags in order. It is in the key's row so that the row's tag covers it. */
  readonly tags: string
  readonly rotation_period_days: number | null
  readonly next_rotation_at: number | null
  readonly on_demand_rotation_started_at: number | null
  readonly transition_started_at: number | null
  readonly material_expiration_model: string | null
  readonly material_expires_at: number | null
  readonly row_version: number
  readonly row_tag: Uint8Array
}

/** One row: the latest time at which anything was decided. */
export interface ClockMarkTable {
  readonly id: number
  readonly reached: number
  readonly row_tag: Uint8Array
}

/** Wrapped materials. The AEAD binds the columns, so there is no row tag. */
export interface KeyMaterialsTable {
  readonly material_id: string
  readonly account_id: string
  readonly region: string
  readonly key_id: string
  /**
   * Numbers a key's materials from 1 in the order they were added, because two may have the same
   * time.
   */
  readonly ordinal: number
  readonly spec: string
  readonly usage: string
  readonly origin: string
  readonly wrapping_version: number
  readonly wrapped: Uint8Array
  readonly created_at: number
}

/** The state of each of a key's materials, in each Region of a multi-Region key. */
export interface MaterialStatesTable {
  readonly account_id: string
  readonly region: string
  readonly key_id: string
  readonly material_id: string
  readonly ordinal: number
  readonly state: string
  readonly import_state: string | null
  readonly expiration_model: string | null
  readonly valid_to: number | null
  readonly description: string | null
  readonly rotation_type: string | null
  readonly rotated_at: number | null
  /** The former expiry date of material that has expired. */
  readonly expired_at: number | null
  readonly row_version: number
  readonly row_tag: Uint8Array
}

export interface AliasesTable {
  readonly account_id: string
  readonly region: string
  readonly name: string
  readonly target_key_id: string
  readonly created_at: number
  readonly updated_at: number
  readonly row_version: number
  readonly row_tag: Uint8Array
}

/** The number of customer managed keys, or aliases, of an account in a Region. */
export interface ResourceCountsTable {
  readonly account_id: string
  readonly region: string
  readonly kind: string
  readonly count: number
  readonly row_tag: Uint8Array
}

/**
 * The last use of a key. Every key has a row from its creation on, so that a deleted row is
 * noticed.
 */
export interface KeyUsageTable {
  readonly account_id: string
  readonly region: string
  readonly key_id: string
  /** Empty until the key is used after `used_at`. */
  readonly operation: string
  readonly used_at: number
  readonly event_id: string
  readonly request_id: string
  /** Null in rows from before there were tags. */
  readonly row_tag: Uint8Array | null
}

/** One row: the time since when uses of keys are recorded. */
export interface KeyUsageTrackingTable {
  readonly id: number
  readonly since: number
  /** Null in a row from before there were tags. */
  readonly row_tag: Uint8Array | null
}

/** One row: the number of the last change. */
export interface ChangeHeadTable {
  readonly id: number
  readonly seq: number
}

export interface ChangeLogTable {
  readonly seq: number
  readonly position: number
  readonly kind: string
  readonly account_id: string
  readonly region: string
  readonly id: string
  /** The version that the change left the row at, 0 when it is deleted; null where there is none. */
  readonly row_version: number | null
  readonly row_tag: Uint8Array
}

export interface AuditOutboxTable {
  readonly position: Generated<number>
  readonly event_id: string
  readonly record: string
  readonly stream: string
  readonly segment: number
  /** Covers every column but `position`, which is not known when the tag is made. */
  readonly row_tag: Uint8Array
}

/** Events that wait for the webhook. The row's tag is like that of an outbox row. */
export interface OutgoingEventsTable {
  readonly position: Generated<number>
  readonly event_id: string
  readonly subject: string
  /** 1 for yes. */
  readonly guaranteed: number
  readonly made_at: number
  /** JSON. */
  readonly body: string
  readonly row_tag: Uint8Array
}

export interface SchemaMigrationsTable {
  readonly version: number
  readonly name: string
}

export interface Schema extends EventIndexTables {
  readonly deployment: DeploymentTable
  readonly seals: SealsTable
  readonly domain_keys: DomainKeysTable
  readonly accounts: AccountsTable
  readonly access_keys: AccessKeysTable
  readonly services: ServicesTable
  readonly users: UsersTable
  readonly groups: GroupsTable
  readonly roles: RolesTable
  readonly role_usage: RoleUsageTable
  readonly access_key_usage: AccessKeyUsageTable
  readonly managed_policies: ManagedPoliciesTable
  readonly oidc_providers: OidcProvidersTable
  readonly keys: KeysTable
  readonly key_materials: KeyMaterialsTable
  readonly deleted_keys: DeletedKeysTable
  readonly deleted_materials: DeletedMaterialsTable
  readonly clock_mark: ClockMarkTable
  readonly material_states: MaterialStatesTable
  readonly aliases: AliasesTable
  readonly grants: GrantsTable
  readonly grant_buckets: GrantBucketsTable
  readonly resource_counts: ResourceCountsTable
  readonly key_usage: KeyUsageTable
  readonly key_usage_tracking: KeyUsageTrackingTable
  readonly change_head: ChangeHeadTable
  readonly change_log: ChangeLogTable
  readonly audit_outbox: AuditOutboxTable
  readonly outgoing_events: OutgoingEventsTable
  readonly trails: TrailsTable
  readonly audit_writers: AuditWritersTable
  readonly delivery_cursors: DeliveryCursorsTable
  readonly delivery_files: DeliveryFilesTable
  readonly digest_chains: DigestChainsTable
  readonly digest_keys: DigestKeysTable
  readonly trail_status: TrailStatusTable
  readonly schema_migrations: SchemaMigrationsTable
}
