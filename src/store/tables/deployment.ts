/**
 * Rows that are read before the root key is open. They have no row tag, because the tag's key is
 * among the keys that they protect. They need none: the root key is sealed, and each domain key is
 * wrapped under the root key, by an AEAD bound to the deployment id and, for a domain key, to its
 * version. A forged row opens nothing; an older seal opens only what it always opened.
 * @module
 */
import type { Database } from '../database.ts'

export interface SealRecord {
  /** The kind of seal that opens it. */
  readonly kind: string
  readonly generation: number
  readonly sealedRootKey: Uint8Array
}

export interface DomainKeyRecord {
  readonly version: number
  /** `iv ‖ ciphertext ‖ tag`. */
  readonly wrapped: Uint8Array
  readonly createdAt: number
}

export interface DeploymentRecord {
  readonly deploymentId: string
  readonly createdAt: number
  readonly seal: SealRecord
  /** Ordered by version, oldest first. */
  readonly domainKeys: readonly DomainKeyRecord[]
}

/** Undefined before the first start has created it. */
export async function readDeployment(
  database: Pick<Database, 'query'>,
): Promise<DeploymentRecord | undefined> {
  return database.query.transaction().execute(async (query) => {
    const deployment = await query.selectFrom('deployment').selectAll().executeTakeFirst()
    if (deployment === undefined) return undefined
    const seal = await query
      .selectFrom('seals')
      .selectAll()
      .orderBy('generation', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow()
    const domainKeys = await query
      .selectFrom('domain_keys')
      .selectAll()
      .orderBy('version')
      .execute()
    return {
      deploymentId: deployment.deployment_id,
      createdAt: deployment.created_at,
      seal: {
        kind: seal.kind,
        generation: seal.generation,
        sealedRootKey: seal.sealed_root_key,
      },
      domainKeys: domainKeys.map((row) => ({
        version: row.version,
        wrapped: row.wrapped,
        createdAt: row.created_at,
      })),
    }
  })
}

/** @throws {DuplicateRow} without any change if the database has a deployment */
export async function createDeployment(
  database: Database,
  record: DeploymentRecord,
): Promise<void> {
  const { deploymentId, createdAt, seal, domainKeys } = record
  await database.query.transaction().execute(async (query) => {
    await query
      .insertInto('deployment')
      .values({ id: 1, deployment_id: deploymentId, created_at: createdAt })
      .execute()
    await query
      .insertInto('seals')
      .values({
        generation: seal.generation,
        kind: seal.kind,
        sealed_root_key: seal.sealedRootKey,
      })
      .execute()
    for (const { version, wrapped, createdAt: madeAt } of domainKeys) {
      await query
        .insertInto('domain_keys')
        .values({ version, wrapped, created_at: madeAt })
        .execute()
    }
  })
}
