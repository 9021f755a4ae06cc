/**
 * Generations of the root key. A rotation puts a new one in force; the older ones stay until nothing is under
 * their domain keys. Seals in force and domain keys have no row tag and need none (`deployment.ts`).
 * @module
 */
import type { RowKeyring } from '../bound-rows.ts'
import type { Database } from '../database.ts'
import type { WriteScope } from '../row-scope.ts'
import { retiredKeys, type RetiredKey } from '../schema/audit.ts'
import { domainKeys, seals, type DomainKeyRecord } from '../schema/deployment.ts'
import { latestSeal } from './opening-seals.ts'
import { provedSeal, SealReplaced } from './other-seals.ts'
import { insertRecords } from './table-rows.ts'

/**
 * Makes the proved root key the current one, in one transaction.
 *
 * INVARIANT (one root key): the seal of a generation opens exactly the domain keys that are stored with
 * it. The same transaction adds the seal and wraps every domain key under the new root key, and deletes
 * all other seals of the former one.
 * @param of.domainKeys all of them, under the new root key
 * @throws {SealReplaced} without any change, as `provedSeal`, or if the stored domain keys are not the
 *   former ones among these
 */
export async function adoptRoot(
  database: Pick<Database, 'query' | 'unscrubbed'>,
  {
    proved,
    keyring,
    domainKeys: keys,
  }: {
    readonly proved: Uint8Array
    readonly keyring: RowKeyring
    readonly domainKeys: readonly DomainKeyRecord[]
  },
): Promise<void> {
  database.unscrubbed.raise()
  await database.query.transaction().execute(async (query) => {
    const { kind, sealedRootKey } = await provedSeal(query, { role: 'next-root', proved, keyring })
    const stored = await query.selectFrom('domain_keys').select('version').execute()
    const given = new Set(keys.map(({ version }) => version))
    // Otherwise the insert would bring back what another node ends at this moment.
    if (stored.length !== keys.length - 1 || !stored.every(({ version }) => given.has(version))) {
      throw new SealReplaced('the former root keys were ended meanwhile: begin again')
    }
    const seal = { generation: (await latestSeal(query)) + 1, kind, sealedRootKey }
    await query.insertInto('seals').values(seals.toRow(seal)).execute()
    await query.deleteFrom('domain_keys').execute()
    for (const key of keys) {
      await query.insertInto('domain_keys').values(domainKeys.toRow(key)).execute()
    }
    await query.deleteFrom('other_seals').execute()
  })
  database.unscrubbed.raise()
}

export interface GenerationWrites {
  /**
   * Deletes all domain keys before `version`, and the seals of all former root keys.
   * @param keys public keys of those domain keys, which older statements need
   */
  retireGenerations(of: {
    readonly version: number
    readonly keys: readonly RetiredKey[]
  }): Promise<void>
}

export function generationWrites(scope: WriteScope): GenerationWrites {
  const { query, deletesMaterial } = scope
  return {
    async retireGenerations({ version, keys }) {
      deletesMaterial()
      await query.deleteFrom('domain_keys').where('version', '<', version).execute()
      await query
        .deleteFrom('seals')
        .where('generation', '<', await latestSeal(query))
        .execute()
      if (keys.length > 0) await insertRecords(retiredKeys, scope, keys)
    },
  }
}
