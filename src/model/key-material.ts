/**
 * Where each material of a key stands. The bytes are elsewhere (`MaterialRecord`): this says which of
 * them encrypts, which only decrypt, which waits for its rotation, and which is lost for now.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_RotationsListEntry.html
 * @module
 */
import type { KeyRecord, KeyRef, KeyState } from './key.ts'
import type { ExpirationModel } from './expiration.ts'

export type KeyMaterialState =
  | 'CURRENT'
  | 'NON_CURRENT'
  | 'PENDING_ROTATION'
  | 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'

export type ImportState = 'IMPORTED' | 'PENDING_IMPORT'
export type RotationType = 'AUTOMATIC' | 'ON_DEMAND'

export interface MaterialStateRef extends KeyRef {
  /** 64 lower-case hex digits. */
  readonly materialId: string
}

/** A material in one Region: of a multi-Region key, each Region has its own. */
export interface MaterialStateRecord extends MaterialStateRef {
  /** Counts the key's materials from 1 in the order they were added. */
  readonly ordinal: number
  readonly state: KeyMaterialState
  /** Present for imported material only, as is all that follows up to the description. */
  readonly importState?: ImportState
  /** Absent while the material is not imported. */
  readonly expirationModel?: ExpirationModel
  /** Milliseconds since the epoch. */
  readonly validTo?: number
  /** Milliseconds since the epoch: `validTo` of material that has expired and is no longer imported. */
  readonly expiredAt?: number
  readonly description?: string
  /** How it became current; absent for a key's first material and for one that waits. */
  readonly rotationType?: RotationType
  /** Milliseconds since the epoch. */
  readonly rotatedAt?: number
  /** Counts the row's versions from 1; a change names the version it was decided on. */
  readonly rowVersion: number
}

/** A material that is yet to be written. */
export type NewMaterialState = Omit<MaterialStateRecord, 'rowVersion'>

/**
 * The material of a key that was made before states of materials were kept: it has one, which is current.
 * Undefined for a key that has none yet.
 */
export function onlyMaterialOf(key: KeyRecord): NewMaterialState | undefined {
  const { accountId, region, keyId, currentMaterialId: materialId } = key
  if (materialId === undefined) return undefined
  return { accountId, region, keyId, materialId, ordinal: 1, state: 'CURRENT' }
}

/** Whether ciphertexts may need it: a key works only while it has all of these. */
export function isNeeded({ state }: Pick<MaterialStateRecord, 'state'>): boolean {
  return state === 'CURRENT' || state === 'NON_CURRENT'
}

/** Whether a material that the key needs is not there. */
export function lacksMaterial(
  materials: readonly Pick<MaterialStateRecord, 'state' | 'importState'>[],
): boolean {
  return materials.some((each) => isNeeded(each) && each.importState === 'PENDING_IMPORT')
}

/**
 * When the key loses material that it needs, as its own row says it: the soonest date of all; both are
 * undefined for a key that lacks some already, and for one whose material is not imported.
 */
export function expirationOf(
  materials: readonly Pick<
    MaterialStateRecord,
    'state' | 'importState' | 'expirationModel' | 'validTo'
  >[],
): {
  readonly materialExpirationModel: ExpirationModel | undefined
  readonly materialExpiresAt: number | undefined
} {
  const needed = materials.filter(isNeeded)
  const imported = needed.length > 0 && needed.every((each) => each.importState === 'IMPORTED')
  const dates = needed.flatMap(({ validTo }) => (validTo === undefined ? [] : [validTo]))
  if (!imported) return { materialExpirationModel: undefined, materialExpiresAt: undefined }
  return dates.length === 0
    ? { materialExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE', materialExpiresAt: undefined }
    : { materialExpirationModel: 'KEY_MATERIAL_EXPIRES', materialExpiresAt: Math.min(...dates) }
}

/** The states that a key leaves when it lacks material; one that is to be deleted goes on dying. */
export const leftWithoutMaterial: readonly KeyState[] = ['Enabled', 'Disabled', 'Updating']

/**
 * The key as it is at `now`: what it needs may have expired, though nothing has taken it away yet.
 *
 * INVARIANT (expiry): material is used by nobody from its date on, however late the job that deletes it is,
 * and also while that job waits for somebody to vouch for the clock.
 */
export function keyAt(key: KeyRecord, now: number): KeyRecord {
  const { materialExpirationModel: _, materialExpiresAt, ...rest } = key
  if (materialExpiresAt === undefined || materialExpiresAt > now) return key
  const left = leftWithoutMaterial.includes(key.state)
  return { ...rest, state: left ? 'PendingImport' : key.state }
}
