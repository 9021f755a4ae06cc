/**
 * The state of replication, as the primary tells it.
 * @see https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-REPLICATION-VIEW
 * @module
 */
import type { Replication } from './shared-head.ts'

/** Without the role `pg_read_all_stats`, the columns of other sessions are null. */
export const replicationColumns = `
  current_setting('synchronous_standby_names') <> '' AS standby_required,
  (SELECT count(*) FROM pg_stat_replication) AS standbys,
  (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')
     AND state = 'streaming') AS synchronous_standbys`

/**
 * - `synchronous`: a commit waits for a standby, and one that it waits for is connected.
 * - `single`: no standby is connected, and none is required.
 * - `degraded`: anything else. A change may be lost with the primary, or the role may not read the state.
 */
export function readReplication(row: Readonly<Record<string, unknown>>): Replication {
  const isRequired = row['standby_required'] === true
  if (isRequired && Number(row['synchronous_standbys']) > 0) return 'synchronous'
  return !isRequired && Number(row['standbys']) === 0 ? 'single' : 'degraded'
}
