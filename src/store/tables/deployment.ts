/**
 * Rows that are read before the root key is open. They have no row tag, because the tag's key is
 * among the keys that they protect. They need none: the root key is sealed, and each domain key is
 * wrapped under the root key, by an AEAD bound to the deployment id and, for a domain key, to its
 * version. A forged row opens nothing; an older seal opens only what it always opened.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { Database } from '../database.ts'
import {
  deployment as deployments,
  domainKeys,
  seals,
  type DomainKeyRecord,
  type SealRecord,
} from '../schema/deployment.ts'

export interface DeploymentRecord {
  readonly deploymentId: string
  readonly createdAt: number
  readonly seal: SealRecord
  /** Ordered by version, oldest first. */
  readonly domainKeys: readonly DomainKeyRecord[]
}

/**
 * Undefined before the first start has created it. It begins no transaction: those are refused while no
 * change can become durable, and operators ask for the state of the seal then too. What two reads have both
 * found was there, all of it, at the moment between them.
 */
export async function readDeployment({
  query,
}: Pick<Database, 'query'>): Promise<DeploymentRecord | undefined> {
  let found = await deploymentIn(query)
  for (;;) {
    const again = await deploymentIn(query)
    if (isDeepStrictEqual(found, again)) return again
    found = again
  }
}

/** Reads the deployment in a transaction, or where nobody writes. */
export async function deploymentIn(
  query: Database['query'],
): Promise<DeploymentRecord | undefined> {
  const deployment = await query.selectFrom('deployment').selectAll().executeTakeFirst()
  if (deployment === undefined) return undefined
  const seal = await query
    .selectFrom('seals')
    .selectAll()
    .orderBy('generation', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  const keys = await query.selectFrom('domain_keys').selectAll().orderBy('version').execute()
  const { deploymentId, createdAt } = deployments.toRecord(deployment)
  return {
    deploymentId,
    createdAt,
    seal: seals.toRecord(seal),
    domainKeys: keys.map((row) => domainKeys.toRecord(row)),
  }
}

/**
 * @param replaces the id of a deployment that was never opened, which the new one replaces
 * @throws {DuplicateRow} without any change if the database has another deployment
 */
export async function createDeployment(
  database: Database,
  record: DeploymentRecord,
  replaces?: string,
): Promise<void> {
  await database.query.transaction().execute(async (query) => {
    if (replaces !== undefined) {
      const { numDeletedRows } = await query
        .deleteFrom('deployment')
        .where('deployment_id', '=', replaces)
        .executeTakeFirst()
      if (numDeletedRows === 1n) {
        for (const table of ['seals', 'other_seals', 'domain_keys'] as const) {
          await query.deleteFrom(table).execute()
        }
      }
    }
    await query
      .insertInto('deployment')
      .values(deployments.toRow({ ...record, id: 1 }))
      .execute()
    await query.insertInto('seals').values(seals.toRow(record.seal)).execute()
    for (const key of record.domainKeys) {
      await query.insertInto('domain_keys').values(domainKeys.toRow(key)).execute()
    }
  })
}

/** Whether the deployment was open at least once: a node registers then, and the first account is made. */
export async function wasOpened({ query }: Pick<Database, 'query'>): Promise<boolean> {
  const account = await query
    .selectFrom('accounts')
    .select('account_id')
    .limit(1)
    .executeTakeFirst()
  if (account !== undefined) return true
  const node = await query.selectFrom('nodes').select('node_id').limit(1).executeTakeFirst()
  return node !== undefined
}
