/**
 * The life of an imported key's materials: import, import again, deletion and expiry. The bytes, the
 * state of each material and the key's row change in one transaction.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html
 * @module
 */
import { KmsError } from '../errors.ts'
import { isReplica, type KeyRecord, type MaterialRecord } from '../model/key.ts'
import {
  expirationOf,
  isNeeded,
  lacksMaterial,
  leftWithoutMaterial,
  type MaterialStateRecord,
} from '../model/key-material.ts'
import type { Transaction } from '../store/store.ts'
import type { KeyChanges } from '../store/tables/key-rows.ts'
import { replicasOf } from './related-keys.ts'
import {
  announce,
  describeEverywhere,
  importedMaterialsOf,
  settleWaiting,
  withdraw,
} from './waiting-material.ts'
import type { ExpirationModel } from '../model/expiration.ts'

/** The parameters of an import, apart from the material. */
export interface ImportRequest {
  readonly type?: 'NEW_KEY_MATERIAL' | 'EXISTING_KEY_MATERIAL' | undefined
  /** The id that the material must have. */
  readonly materialId?: string | undefined
  readonly description?: string | undefined
  readonly expirationModel: ExpirationModel
  /** Milliseconds since the epoch. */
  readonly validTo?: number | undefined
}

/**
 * Gives the key the imported material: its first one, one that waits for a rotation, or one that it had
 * before. `arn` is the key's.
 * @throws {KmsError} `IncorrectKeyMaterialException`, `KMSInvalidStateException`
 * @throws {StaleRow}
 */
export async function importMaterial(
  transaction: Transaction,
  key: KeyRecord,
  material: MaterialRecord,
  request: ImportRequest,
  arn: string,
): Promise<void> {
  const materials = await importedMaterialsOf(transaction, key)
  const known = materials.find(({ materialId }) => materialId === material.materialId)
  const { materialId, type = materials.length === 0 ? 'NEW_KEY_MATERIAL' : undefined } = request
  if (materialId !== undefined && materialId !== material.materialId) throw another(materialId)
  if (type === 'NEW_KEY_MATERIAL') {
    requireNew(material, materials, arn)
    return addMaterial(transaction, key, material, { materials, request })
  }
  if (known === undefined) throw neverHad(key, material, arn)
  return bringBack(transaction, key, material, { known, request })
}

/**
 * Deletes a material's bytes. A material that only waits for a rotation is removed altogether: in every
 * Region if this is the primary key, while a replica continues to wait for it.
 */
export async function takeMaterialAway(
  transaction: Transaction,
  key: KeyRecord,
  material: MaterialStateRecord,
): Promise<void> {
  if (isNeeded(material)) return loseMaterial(transaction, key, material)
  if (isReplica(key)) {
    await loseBytes(transaction, material)
    await settleWaiting(transaction, key)
  } else {
    await withdraw(transaction, key, material)
    await transaction.deleteMaterialState(material)
    await transaction.deleteMaterial(material)
  }
  await settleKey(transaction, key)
}

/** Deletes the bytes but keeps the material's row, so that it can be imported again. */
export async function loseMaterial(
  transaction: Transaction,
  key: KeyRecord,
  material: MaterialStateRecord,
): Promise<void> {
  await loseBytes(transaction, material)
  await settleKey(transaction, key)
}

/** The same when the material expires; the date is kept, and lists still show it. */
export async function expireMaterial(
  transaction: Transaction,
  key: KeyRecord,
  material: MaterialStateRecord,
): Promise<void> {
  await loseBytes(transaction, material, material.validTo)
  await settleKey(transaction, key)
}

async function loseBytes(
  transaction: Transaction,
  material: MaterialStateRecord,
  expiredAt?: number,
): Promise<void> {
  await transaction.updateMaterialState(material, {
    importState: 'PENDING_IMPORT',
    expirationModel: undefined,
    validTo: undefined,
    expiredAt,
  })
  await transaction.emptyMaterial(material)
}

/** Deletes what this Region alone has imported: the key goes, while related keys may stay. */
export async function emptyMaterials(transaction: Transaction, key: KeyRecord): Promise<void> {
  if (key.origin !== 'EXTERNAL') return
  for (const material of await importedMaterialsOf(transaction, key)) {
    await transaction.emptyMaterial(material)
  }
}

/** Updates the key's row to the state of its materials, together with `changes`. */
export async function settleKey(
  transaction: Transaction,
  key: KeyRecord,
  changes: KeyChanges = {},
): Promise<void> {
  const materials = await importedMaterialsOf(transaction, key)
  const left = lacksMaterial(materials) && leftWithoutMaterial.includes(key.state)
  await transaction.updateKey(key, {
    ...expirationOf(materials),
    ...changes,
    ...(left && { state: 'PendingImport' }),
  })
}

async function addMaterial(
  transaction: Transaction,
  key: KeyRecord,
  material: MaterialRecord,
  of: { readonly materials: readonly MaterialStateRecord[]; readonly request: ImportRequest },
): Promise<void> {
  const { accountId, region, keyId } = key
  const { materialId } = material
  const last = of.materials.at(-1)
  const alone = (await replicasOf(transaction, key)).length === 0
  const waiting = alone ? 'PENDING_ROTATION' : 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'
  await transaction.insertMaterial(material)
  const added = await transaction.insertMaterialState({
    accountId,
    region,
    keyId,
    materialId,
    ordinal: (last?.ordinal ?? 0) + 1,
    state: last === undefined ? 'CURRENT' : waiting,
    ...importedAs(of.request),
  })
  await announce(transaction, key, added)
  const first = { ...enabling(key), currentMaterialId: materialId }
  await settleKey(transaction, key, last === undefined ? first : {})
}

async function bringBack(
  transaction: Transaction,
  key: KeyRecord,
  material: MaterialRecord,
  of: { readonly known: MaterialStateRecord; readonly request: ImportRequest },
): Promise<void> {
  const { known, request } = of
  // Even if the bytes are present: they get wrapped by the newest key, whatever happened to the old
  // row.
  const stored = await transaction.findMaterial(known.materialId)
  if (stored === undefined) await transaction.insertMaterial(material)
  else await transaction.refillMaterial(material)
  const { description } = request
  const fresh = { validTo: undefined, expiredAt: undefined, ...importedAs(request) }
  await transaction.updateMaterialState(known, fresh)
  if (description !== undefined) {
    await describeEverywhere(transaction, key, known.materialId, description)
  }
  if (!isNeeded(known)) await settleWaiting(transaction, key)
  const materials = await importedMaterialsOf(transaction, key)
  const complete = isNeeded(known) && !lacksMaterial(materials)
  await settleKey(transaction, key, complete ? enabling(key) : {})
}

type Imported = Pick<
  MaterialStateRecord,
  'importState' | 'expirationModel' | 'validTo' | 'description'
>

function importedAs({ expirationModel, validTo, description }: ImportRequest): Imported {
  return {
    importState: 'IMPORTED',
    expirationModel,
    ...(validTo !== undefined && { validTo }),
    ...(description !== undefined && { description }),
  }
}

/** As at AWS, importing the missing material enables a disabled key. */
function enabling({ state }: KeyRecord): KeyChanges {
  return state === 'PendingImport' || state === 'Disabled' ? { state: 'Enabled' } : {}
}

function requireNew(
  { materialId }: MaterialRecord,
  materials: readonly MaterialStateRecord[],
  arn: string,
): void {
  if (materials.some((each) => each.materialId === materialId)) {
    throw new KmsError(
      'IncorrectKeyMaterialException',
      `Key material (id: ${materialId}) being imported as NEW_KEY_MATERIAL is already associated ` +
        `with KMS key ${arn}.`,
    )
  }
  const waiting = materials.find((each) => !isNeeded(each))
  if (waiting === undefined) return
  throw new KmsError(
    'KMSInvalidStateException',
    `New key material (id: ${materialId}) cannot be imported into KMS key ${arn}, because another ` +
      `key material (id: ${waiting.materialId}) is pending rotation.`,
  )
}

function another(expected: string): KmsError {
  return new KmsError(
    'IncorrectKeyMaterialException',
    `Imported key material does not have the expected identifier (${expected}).`,
  )
}

function neverHad({ currentMaterialId }: KeyRecord, { materialId }: MaterialRecord, arn: string) {
  if (currentMaterialId !== undefined) return another(currentMaterialId)
  return new KmsError(
    'IncorrectKeyMaterialException',
    `Key material (id: ${materialId}) being imported as EXISTING_KEY_MATERIAL has never been ` +
      `imported into KMS key ${arn}.`,
  )
}
