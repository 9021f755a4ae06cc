/**
 * The versions of the schema, in order. A released migration never changes; a later one amends it.
 * @module
 */
import type { Kysely } from 'kysely'
import { columnTypes } from './schema/columns.ts'
import { type Engine, DatabaseTooNew } from './database.ts'
import { firstTables } from './migrations/0001-first-tables.ts'
import { keyUsage } from './migrations/0002-key-usage.ts'
import { outboxTags } from './migrations/0003-outbox-tags.ts'
import { grants } from './migrations/0004-grants.ts'
import { users } from './migrations/0005-users.ts'
import { roles } from './migrations/0006-roles.ts'
import { materialStates } from './migrations/0007-material-states.ts'
import { identityMembers } from './migrations/0008-identity-members.ts'
import { groups } from './migrations/0009-groups.ts'
import { keyUsageTags } from './migrations/0010-key-usage-tags.ts'
import { deletedKeys } from './migrations/0011-deleted-keys.ts'
import { trails } from './migrations/0012-trails.ts'
import { userSessions } from './migrations/0013-user-sessions.ts'
import { auditWriters } from './migrations/0014-audit-writers.ts'
import { multiRegionKeys } from './migrations/0015-multi-region-keys.ts'
import { oidcProviders } from './migrations/0016-oidc-providers.ts'
import { eventIndex } from './migrations/0017-event-index.ts'
import { services } from './migrations/0018-services.ts'
import { delivery } from './migrations/0019-delivery.ts'
import { tombstoneSeals } from './migrations/0020-tombstone-seals.ts'
import { usage } from './migrations/0021-usage.ts'
import { organizations } from './migrations/0022-organizations.ts'
import { metrics } from './migrations/0023-metrics.ts'
import { resourceCounts } from './migrations/0024-resource-counts.ts'
import { outgoingEvents } from './migrations/0025-outgoing-events.ts'
import { deletedMaterials } from './migrations/0026-deleted-materials.ts'
import { keyUsageTracking } from './migrations/0027-key-usage-tracking.ts'
import { expiredMaterials } from './migrations/0028-expired-materials.ts'
import { grantBuckets } from './migrations/0029-grant-buckets.ts'
import { changeLogVersions } from './migrations/0030-change-log-versions.ts'
import type { Schema } from './schema/schema.ts'

export interface Migration {
  readonly name: string
  readonly up: (query: Kysely<Schema>, engine: Engine) => Promise<void>
}

/** A migration's position in the list, counted from 1, is the version that it leads to. */
export const migrations: readonly Migration[] = [
  { name: 'first-tables', up: firstTables },
  { name: 'key-usage', up: keyUsage },
  { name: 'outbox-tags', up: outboxTags },
  { name: 'grants', up: grants },
  { name: 'users', up: users },
  { name: 'roles', up: roles },
  { name: 'material-states', up: materialStates },
  { name: 'identity-members', up: identityMembers },
  { name: 'groups', up: groups },
  { name: 'key-usage-tags', up: keyUsageTags },
  { name: 'deleted-keys', up: deletedKeys },
  { name: 'trails', up: trails },
  { name: 'user-sessions', up: userSessions },
  { name: 'audit-writers', up: auditWriters },
  { name: 'multi-region-keys', up: multiRegionKeys },
  { name: 'oidc-providers', up: oidcProviders },
  { name: 'event-index', up: eventIndex },
  { name: 'services', up: services },
  { name: 'delivery', up: delivery },
  { name: 'tombstone-seals', up: tombstoneSeals },
  { name: 'usage', up: usage },
  { name: 'organizations', up: organizations },
  { name: 'metrics', up: metrics },
  { name: 'resource-counts', up: resourceCounts },
  { name: 'outgoing-events', up: outgoingEvents },
  { name: 'deleted-materials', up: deletedMaterials },
  { name: 'key-usage-tracking', up: keyUsageTracking },
  { name: 'expired-materials', up: expiredMaterials },
  { name: 'grant-buckets', up: grantBuckets },
  { name: 'change-log-versions', up: changeLogVersions },
]

/**
 * Brings the database to the last version, in one transaction a migration.
 * @throws {DatabaseTooNew} without any change if a later version of Trent wrote the database
 */
export async function migrate(
  query: Kysely<Schema>,
  engine: Engine,
  steps: readonly Migration[] = migrations,
): Promise<void> {
  const { text, number, end } = columnTypes(engine)
  await query.schema
    .createTable('schema_migrations')
    .ifNotExists()
    .addColumn('version', number, (column) => column.primaryKey())
    .addColumn('name', text, (column) => column.notNull())
    .modifyEnd(end)
    .execute()
  const applied = await appliedVersion(query, steps)
  for (const [index, { name, up }] of steps.entries()) {
    const version = index + 1
    if (version <= applied) continue
    await query.transaction().execute(async (transaction) => {
      // This comes first: if two processes migrate at once, one of them fails here and changes
      // nothing.
      await transaction.insertInto('schema_migrations').values({ version, name }).execute()
      await up(transaction, engine)
    })
  }
}

/**
 * Returns the version of the database. Its table of versions must exist.
 * @throws {DatabaseTooNew} if `steps` do not lead to that version
 */
export async function appliedVersion(
  query: Kysely<Schema>,
  steps: readonly Migration[] = migrations,
): Promise<number> {
  const last = await query
    .selectFrom('schema_migrations')
    .select('version')
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()
  const applied = last?.version ?? 0
  if (applied <= steps.length) return applied
  throw new DatabaseTooNew(
    `the database was written by a later version of Trent: ` +
      `its schema is version ${applied}, and this one knows version ${steps.length}`,
  )
}
