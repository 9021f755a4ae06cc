/**
 * What becomes of the materials of an imported key: they come, again too, they are taken away, they expire.
 * The bytes, where each material stands and what the key's row says of it change in one transaction.
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
import type { KeyChanges, Transaction } from '../store/store.ts'
import { replicasOf } from './related-keys.ts'
import {
  announce,
  describeEverywhere,
  importedMaterialsOf,
  settleWaiting,
  withdraw,
} from './waiting-material.ts'
import type { ExpirationModel } from '../model/expiration.ts'

/** What an import asks for beside the material. */
export interface ImportRequest {
  readonly type?: 'NEW_KEY_MATERIAL' | 'EXISTING_KEY_MATERIAL' | undefined
  /** The material that it is to be. */
  readonly materialId?: string | undefined
  readonly description?: string | undefined
  readonly expirationModel: ExpirationModel
  /** Milliseconds since the epoch. */
  readonly validTo?: number | undefined
}

/**
 * Gives the key material that was unwrapped for it: its first, more that waits for a rotation, or what it
 * has had before. `arn` is the key's.
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
 * Takes a material's bytes away, and the material itself where it only waits for a rotation: everywhere when
 * the primary key of several does so. A replica goes on waiting for it.
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

/** Takes the bytes away and leaves the material the key's: it can be imported again. */
export async function loseMaterial(
  transaction: Transaction,
  key: KeyRecord,
  material: MaterialStateRecord,
): Promise<void> {
  await loseBytes(transaction, material)
  await settleKey(transaction, key)
}

/** The same because its date has come, which is kept: lists go on telling it. */
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

/** Takes away what this Region alone has imported: the key goes, and others of its id may stay. */
export async function emptyMaterials(transaction: Transaction, key: KeyRecord): Promise<void> {
  if (key.origin !== 'EXTERNAL') return
  for (const material of await importedMaterialsOf(transaction, key)) {
    await transaction.emptyMaterial(material)
  }
}

/** Brings the key's row up to what stands of its materials, with `changes` of its own. */
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
  // Also where the bytes are there: they are wrapped by the newest key, whatever became of the row.
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

/** As AWS does it, a disabled key is enabled by the import of what it needs. */
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
