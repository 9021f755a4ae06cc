/** How a start joins the other nodes of the deployment. @module */
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { drainOutbox } from '../audit/outbox.ts'
import type { Config } from '../config.ts'
import type { TurningKeyring } from '../crypto/domain-keys.ts'
import { nodeFiles } from '../disk/files.ts'
import type { NotedUsage } from '../model/last-usage.ts'
import type { JournalPosition } from '../model/node.ts'
import { readDeployment, type DeploymentRecord } from '../store/tables/deployment.ts'
import { writeApplied } from './applied.ts'
import type { OpenDependencies } from './dependencies.ts'
import { joinNodes, type RunningNode } from './node.ts'
import { nodeUses, noOtherNodes, type NodeUses } from './node-uses.ts'
import { retireDrained, type Draining } from './nodes.ts'
import type { Files } from './open-before-unseal.ts'
import type { ServerOptions } from './options.ts'
import type { ServerParts } from './parts.ts'

/** The durable ends of the streams of all workers. */
export async function positionsOf({
  journal,
  workers,
}: Pick<Files, 'journal' | 'workers'>): Promise<readonly JournalPosition[]> {
  return [journal.position, ...(await workers.states()).map(({ position }) => position)]
}

export async function joinAsNode(
  config: Config,
  { log, onFatal }: ServerOptions,
  files: Files,
  { store, keyring }: Pick<ServerParts, 'store'> & { readonly keyring: TurningKeyring },
): Promise<RunningNode | undefined> {
  const { database, clock } = files
  const { following, nodeId } = database
  if (following === undefined || nodeId === undefined) return undefined
  return joinNodes({
    store,
    following,
    nodeId,
    name: hostname(),
    deploymentId: keyring.deploymentId,
    alone: database.alone,
    keyring,
    isReplaced: async () => isReplaced(await readDeployment(database), keyring),
    clock,
    onRetired: () => void settleRetired(config, files, store, log),
    freshnessMs: config.freshnessSeconds * 1000,
    remember: (applied) => writeApplied(config.dataDirectory, applied, nodeFiles),
    positions: () => positionsOf(files),
    log,
    onFatal,
  })
}

/** Whether the deployment or its root key is another one than the node opened. */
export function isReplaced(
  found: DeploymentRecord | undefined,
  { deploymentId, knownVersion }: Pick<TurningKeyring, 'deploymentId' | 'knownVersion'>,
): boolean {
  // `trent init` on two nodes can make two deployments, and the second one replaces the first.
  if (found?.deploymentId !== deploymentId) return true
  return found.domainKeys.at(-1)?.version !== knownVersion
}

export function usesOfNodes(
  config: Config,
  { database: { following }, workers, clock }: Files,
  { node, store, random }: ServerParts,
  background: OpenDependencies['background'],
): NodeUses {
  if (node === undefined || following === undefined) return noOtherNodes
  const noted = async (name: string): Promise<readonly NotedUsage[]> => [
    ...background.keyUsages.remembered(name),
    ...(await workers.noted('keys', name)),
  ]
  const freshnessMs = config.freshnessSeconds * 1000
  return nodeUses({ following, node, store, noted, freshnessMs, random, now: () => clock.now() })
}

export function drainingOf(
  { afterJournal }: Files,
  node: RunningNode | undefined,
  store: ServerParts['store'],
): Draining {
  const draining: Draining = { isAsked: false, isComplete: false }
  // First of those that close after the journal, so that it runs last.
  afterJournal.unshift(() => retireDrained(draining, node, store))
  return draining
}

/** Puts the records that retired nodes left in the database into this node's journal. */
async function settleRetired(
  { dataDirectory }: Config,
  { database, journal }: Files,
  store: ServerParts['store'],
  log: Logger,
): Promise<void> {
  const directory = join(dataDirectory, 'journal')
  try {
    const drained = { store, journal, directory, whose: 'retired' } as const
    const { rows } = await database.alone(() => drainOutbox(drained))
    if (rows > 0)
      log.warn({ rows }, 'records of changes that a retired node left are in the journal')
  } catch (error) {
    log.error({ err: error }, 'records that a retired node left wait for the next start of a node')
  }
}
