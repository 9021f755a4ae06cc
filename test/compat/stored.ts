/** The database and the store of a stopped server, for what no call can bring about. @module */
import { join } from 'node:path'
import { openKeyring } from '../../src/crypto/domain-keys.ts'
import type { Keyring } from '../../src/crypto/keyring.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { fileSeal } from '../../src/seals/file.ts'
import { openAlone } from '../../src/seals/seal.ts'
import { createStore } from '../../src/store/bound-store.ts'
import { everyTable } from '../../src/store/schema/schema.ts'
import { readDeployment } from '../../src/store/tables/deployment.ts'
import { openDatabase, type OwnedDatabase } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { databaseUrlOf } from '../harness.ts'

/** Reads or changes the database itself, of whichever engine the server has. */
export async function withDatabase<T>(
  dataDirectory: string,
  work: (database: OwnedDatabase) => Promise<T>,
): Promise<T> {
  const onFailure = (error: unknown): never => {
    throw error
  }
  const path = join(dataDirectory, 'trent.db')
  const database = await openDatabase({ path, url: databaseUrlOf(dataDirectory), onFailure })
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

/** Every value of every row, as bytes. */
export function storedValues(dataDirectory: string): Promise<Buffer> {
  return withDatabase(dataDirectory, async ({ query }) => {
    const values: unknown[] = []
    for (const { name } of everyTable) {
      const rows = await query.selectFrom(name).selectAll().execute()
      for (const row of rows) values.push(...Object.values(row))
    }
    const bytes = values.map((value) =>
      value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value)),
    )
    return Buffer.concat(bytes.flatMap((each) => [each, Buffer.from('\n')]))
  })
}

export function withStore<T>(
  dataDirectory: string,
  work: (store: Store, keyring: Keyring) => Promise<T>,
): Promise<T> {
  return withDatabase(dataDirectory, async (database) => {
    const seal = fileSeal(join(dataDirectory, 'seal.key'), systemRandom)
    const deployment = await readDeployment(database)
    if (deployment === undefined) throw new Error('no server has been started here')
    const { deploymentId, domainKeys } = deployment
    const rootKey = await openAlone(seal, deployment.seal.sealedRootKey, deploymentId)
    const keyring = openKeyring(rootKey, deploymentId, domainKeys, systemRandom)
    const onForgedRow = (table: string): never => {
      throw new Error(`a row of ${table} fails its tag`)
    }
    return await work(createStore(database, keyring, { onForgedRow }), keyring)
  })
}
