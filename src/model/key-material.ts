/**
 * The state of each material of a key: which one encrypts, which only decrypt, which waits for its
 * rotation, and which is not imported at the moment. The bytes are in `MaterialRecord`.
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

/** The state of a material in one Region. Each Region of a multi-Region key has its own. */
export interface MaterialStateRecord extends MaterialStateRef {
  /** Numbers the key's materials from 1 in the order they were added. */
  readonly ordinal: number
  readonly state: KeyMaterialState
  /** Present for imported material only, like the members up to `description`. */
  readonly importState?: ImportState
  /** Absent while the material is not imported. */
  readonly expirationModel?: ExpirationModel
  /** Milliseconds since the epoch. */
  readonly validTo?: number
  /**
   * Milliseconds since the epoch: the former `validTo` of material that has expired and is no
   * longer imported.
   */
  readonly expiredAt?: number
  readonly description?: string
  /**
   * How it became current; absent for a key's first material and for one that waits for its
   * rotation.
   */
  readonly rotationType?: RotationType
  /** Milliseconds since the epoch. */
  readonly rotatedAt?: number
  /** Counts the row's versions from 1. A change names the version that it was decided on. */
  readonly rowVersion: number
}

/** A material state that is not stored yet. */
export type NewMaterialState = Omit<MaterialStateRecord, 'rowVersion'>

/**
 * Whether ciphertexts may need the material. A key is usable only while it has all such materials.
 */
export function isNeeded({ state }: Pick<MaterialStateRecord, 'state'>): boolean {
  return state === 'CURRENT' || state === 'NON_CURRENT'
}

/** Whether a material that the key needs is missing. */
export function lacksMaterial(
  materials: readonly Pick<MaterialStateRecord, 'state' | 'importState'>[],
): boolean {
  return materials.some((each) => isNeeded(each) && each.importState === 'PENDING_IMPORT')
}

/**
 * The expiration of the key itself: the earliest date of the materials that it needs. Both members
 * are undefined if one of them is missing, or if the key's material is not imported.
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

/**
 * The states that a key leaves when material is missing. A key that waits for deletion keeps its
 * state.
 */
export const leftWithoutMaterial: readonly KeyState[] = ['Enabled', 'Disabled', 'Updating']

/**
 * The key as it is at `now`: its material may have expired, although no job has deleted it yet.
 *
 * INVARIANT (expiry): nobody uses material from its expiry date on, however late the job that
 * deletes it runs, and also while that job waits for an operator to confirm the clock.
 */
export function keyAt(key: KeyRecord, now: number): KeyRecord {
  const { materialExpirationModel: _, materialExpiresAt, ...rest } = key
  if (materialExpiresAt === undefined || materialExpiresAt > now) return key
  const left = leftWithoutMaterial.includes(key.state)
  return { ...rest, state: left ? 'PendingImport' : key.state }
}
