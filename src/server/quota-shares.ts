/** This node's part of the request quotas that several nodes share. @module */
import type { Logger } from 'pino'
import type { Clock } from '../model/clock.ts'
import type { Database } from '../store/database.ts'
import type { Store } from '../store/store.ts'
import { createBuckets, processMilliseconds } from '../throttle/buckets.ts'
import { createNodeShares, type NodeShares } from '../throttle/node-shares.ts'

/** Undefined if only one node can use the database: it has all of every quota. */
export async function openQuotaShares({
  database: { nodeId: node },
  store,
  buckets,
  clock,
  log,
}: {
  readonly database: Pick<Database, 'nodeId'>
  readonly store: Pick<Store, 'exchangeClaims' | 'giveUpClaims'>
  readonly buckets: SharedArrayBuffer
  readonly clock: Pick<Clock, 'system'>
  readonly log: Pick<Logger, 'warn'>
}): Promise<NodeShares | undefined> {
  if (node === undefined) return undefined
  const system = (): number => clock.system()
  const shares = createNodeShares({
    node,
    parts: createBuckets(buckets, processMilliseconds, { system }),
    exchange: (of) => store.exchangeClaims(of),
    giveUp: (gone) => store.giveUpClaims(gone),
    monotonic: processMilliseconds,
    system,
    onError: (error) => log.warn({ err: error }, error.message),
  })
  await shares.renew()
  return shares
}
