/** The materials that a file fixes, against those that a key has. @module */
import { importMaterial } from '../../../lifecycle/imported-materials.ts'
import { keyArn, type KeyRecord, type KeyRef, type MaterialRecord } from '../../../model/key.ts'
import { onlyMaterialOf } from '../../../model/key-material.ts'
import type { Applying } from './applying.ts'
import type { PreparedKey } from './key-materials.ts'
import { type DocumentPath, refusalAt } from './document-path.ts'

/** Those of a key that was just inserted: all but the last were rotated away. */
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
 * Rotations since the file was written have added to what it says: what it names are the key's first. Of an
 * imported key the one that it names is among the key's, or the key has none yet.
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
  const message = `${keyArn(partition, key)} is there with other material`
  throw refusalAt([...place, 'material'], message)
}

/** Far more than a key can have. */
const materialsMax = 1000

async function materialIdsOf(
  transaction: Applying['transaction'],
  key: KeyRecord,
): Promise<readonly string[]> {
  const states = await transaction.listMaterialStates(key, { limit: materialsMax })
  const only = onlyMaterialOf(key)
  const all = states.length === 0 && only !== undefined ? [only] : states
  return all.map(({ materialId }) => materialId)
}

/** Imports what the file fixes, for good, where the key lacks it. Answers whether it did. */
export async function bringMaterial(
  { transaction, partition }: Applying,
  ref: KeyRef,
  { materials: [material] }: PreparedKey,
): Promise<boolean> {
  if (material === undefined) return false
  const { materialId } = material
  const state = await transaction.findMaterialState({ ...ref, materialId })
  if (state?.importState === 'IMPORTED') return false
  const key = await transaction.findKey(ref)
  if (key === undefined) throw new Error('a key that was written is not there')
  const request = { expirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' } as const
  await importMaterial(transaction, key, material, request, keyArn(partition, ref))
  return true
}
