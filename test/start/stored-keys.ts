/** The keys of a stopped server, as its database and its seal give them: for searches that must not find them. @module */
import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { keyringOf } from '../../src/crypto/domain-keys.ts'
import { openMaterial } from '../../src/crypto/material.ts'
import type { Seal } from '../../src/seals/seal.ts'
import { deploymentUnder } from '../../src/server/root-key.ts'
import { openDatabase } from '../../src/store/open.ts'
import { keyMaterials } from '../../src/store/schema/materials.ts'
import { readDeployment } from '../../src/store/tables/deployment.ts'
import { realRandom } from '../crypto/fixed.ts'
import type { Secrets } from './memory-search.ts'

/**
 * The root key, the domain keys and all key material.
 * @param given what people give to open the seal
 */
export async function storedKeys(
  folder: string,
  seal: Seal,
  given: readonly string[] = [],
): Promise<Secrets> {
  const database = await openDatabase({ path: join(folder, 'data', 'trent.db') })
  const record = (await readDeployment(database)) ?? assert.fail('there is no deployment')
  const rows = await database.query.selectFrom('key_materials').selectAll().execute()
  await database.close()
  const { deploymentId } = record
  const opening = seal.open(record.seal.sealedRootKey, deploymentId)
  let rootKey = seal.asks === 'nothing' ? await opening.give() : undefined
  for (const secret of given) rootKey = await opening.give(Buffer.from(secret))
  assert.ok(rootKey)
  const { domainKeys } = deploymentUnder(rootKey, record)
  const keyring = keyringOf(deploymentId, domainKeys, realRandom)
  const secrets = new Map<string, Uint8Array>([['root key', rootKey.export()]])
  for (const { version, key } of domainKeys) secrets.set(`domain key ${version}`, key.export())
  for (const row of rows) {
    const material = keyMaterials.toRecord(row)
    if (material.wrapped.length === 0) continue
    for (const [part, bytes] of partsOf(openMaterial(keyring, material))) {
      secrets.set(`${material.spec} ${material.keyId} ${part}`, bytes)
    }
  }
  return secrets
}

/** The secret numbers of a key, by name. */
export function partsOf(key: KeyObject): readonly [string, Buffer][] {
  if (key.type === 'secret') return [['material', key.export()]]
  const { d = '', p, q } = key.export({ format: 'jwk' })
  const parts = { d, p, q }
  return Object.entries(parts).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, Buffer.from(value, 'base64url')]],
  )
}
