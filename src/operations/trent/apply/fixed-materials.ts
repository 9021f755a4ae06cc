/** Stores, compares and imports the key materials that a document fixes. @module */
import { importMaterial } from '../../../lifecycle/imported-materials.ts'
import { keyArn, type KeyRecord, type KeyRef, type MaterialRecord } from '../../../model/key.ts'
import type { Applying } from './applying.ts'
import type { PreparedKey } from './key-materials.ts'
import { type DocumentPath, refusalAt } from './document-path.ts'

/** Stores the materials of a new key. The last one is current, the others are rotated away. */
export async function storeMaterials(
  { transaction, now }: Applying,
  ref: KeyRef,
  materials: readonly MaterialRecord[],
): Promise<void> {
  for (const [index, material] of materials.entries()) {
    await transaction.insertMaterial(material)
    await transaction.insertMaterialState({
      ...ref,
      materialId: material.materialId,
      ordinal: index + 1,
      state: index === materials.length - 1 ? 'CURRENT' : 'NON_CURRENT',
      ...(index > 0 && { rotationType: 'ON_DEMAND', rotatedAt: now }),
    })
  }
}

/**
 * Checks that a key has the materials of the document. Rotations may have added more since, so they must be
 * the first materials of the key. An imported key must have the one in the document, or none yet.
 */
export async function requireSameMaterials(
  { transaction, partition }: Applying,
  key: KeyRecord,
  { fixed, materials, origin }: PreparedKey,
  place: DocumentPath,
): Promise<void> {
  if (!fixed) return
  const ids = await materialIdsOf(transaction, key)
  const wanted = materials.map(({ materialId }) => materialId)
  const same =
    origin === 'EXTERNAL'
      ? ids.length === 0 || wanted.every((id) => ids.includes(id))
      : wanted.every((id, index) => ids[index] === id)
  if (same) return
  const message = `${keyArn(partition, key)} exists with other material`
  throw refusalAt([...place, 'material'], message)
}

/** Far above the number of materials that a key can have. */
const materialsMax = 1000

async function materialIdsOf(
  transaction: Applying['transaction'],
  key: KeyRecord,
): Promise<readonly string[]> {
  const states = await transaction.listMaterialStates(key, { limit: materialsMax })
  return states.map(({ materialId }) => materialId)
}

/** Imports the fixed material, without expiry, if the key lacks it. Returns whether it did. */
export async function importFixedMaterial(
  { transaction, partition }: Applying,
  ref: KeyRef,
  { materials: [material] }: PreparedKey,
): Promise<boolean> {
  if (material === undefined) return false
  const { materialId } = material
  const state = await transaction.findMaterialState({ ...ref, materialId })
  if (state?.importState === 'IMPORTED') return false
  const key = await transaction.findKey(ref)
  if (key === undefined) throw new Error('a written key is missing')
  const request = { expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' } as const
  await importMaterial(transaction, key, material, request, keyArn(partition, ref))
  return true
}
