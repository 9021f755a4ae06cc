/** The real parts of one round: a new cluster of PostgreSQL, and three new nodes. @module */
import { copyFileSync, existsSync } from 'node:fs'
import { basename } from 'node:path'
import { type Cluster, type ClusterSettings, startCluster } from './cluster.ts'
import { Fleet } from './fleet.ts'

export interface PartsSettings extends ClusterSettings {
  readonly freshnessSeconds: number
  /** Where the history is kept, with the logs of the nodes next to it; without it, nowhere. */
  readonly history?: string | undefined
  readonly log: (line: string) => void
}

/** Nodes require a standby if commits wait for one. Whatever `run` does, all parts are stopped after it. */
export async function withParts<T>(
  { freshnessSeconds, history, log, ...settings }: PartsSettings,
  run: (cluster: Cluster, fleet: Fleet) => Promise<T>,
): Promise<T> {
  const cluster = await startCluster(settings)
  let fleet: Fleet | undefined
  try {
    await cluster.healthy(60_000)
    await makeDatabase(cluster)
    fleet = await Fleet.start({
      nodes: 3,
      members: cluster.members.map(({ ports }) => ports.postgres),
      password: cluster.password,
      freshnessSeconds,
      requireSynchronous: settings.synchronous !== false,
    })
    return await run(cluster, fleet)
  } catch (error) {
    log(cluster.logs())
    for (const node of fleet?.processes ?? []) log(`== ${node.folder}\n${node.tail}`)
    throw error
  } finally {
    if (history !== undefined) {
      for (const node of fleet?.processes ?? []) keepLog(node.log, history)
    }
    await fleet?.stop()
    fleet?.remove()
    await cluster.stop()
  }
}

function keepLog(file: string, history: string): void {
  if (existsSync(file)) copyFileSync(file, `${history}.${basename(file)}`)
}

/** As docs/operations/postgresql.md says. */
export async function makeDatabase(cluster: Cluster): Promise<void> {
  const role = 'NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION'
  await cluster.admin('postgres', `CREATE ROLE trent LOGIN PASSWORD '${cluster.password}' ${role}`)
  await cluster.admin(
    'postgres',
    `CREATE DATABASE trent OWNER trent ENCODING 'UTF8' TEMPLATE template0`,
  )
  await cluster.admin(
    'trent',
    `REVOKE ALL ON DATABASE trent FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC;
     GRANT USAGE, CREATE ON SCHEMA public TO trent; GRANT pg_read_all_stats TO trent`,
  )
}
