/** The tables of key materials, and of what is deleted for good. @module */
import type { KeyRef, MaterialRecord } from '../../model/key.ts'
import type { MaterialStateRecord } from '../../model/key-material.ts'
import { accounts } from './accounts.ts'
import { bytes, json, number, optional, rowTag, text } from './columns.ts'
import { keys } from './keys.ts'
import { tableOf } from './table.ts'

/** A material with its place among those of its key. */
export interface OrderedMaterial extends MaterialRecord {
  /**
   * Numbers a key's materials from 1 in the order they were added, because two may have the same
   * time.
   */
  readonly ordinal: number
}

/**
 * Wrapped materials. The AEAD binds the other columns, so there is no row tag. Material that is
 * deleted but may be imported again has no bytes.
 */
export const keyMaterials = tableOf<OrderedMaterial>()({
  name: 'key_materials',
  columns: {
    material_id: text('materialId'),
    account_id: text('accountId'),
    region: text('region'),
    key_id: text('keyId'),
    ordinal: number('ordinal'),
    spec: text('spec'),
    usage: text('usage'),
    origin: text('origin'),
    wrapping_version: number('wrappingVersion'),
    wrapped: bytes('wrapped'),
    created_at: number('createdAt'),
  },
  primaryKey: ['material_id'],
  references: [{ columns: ['account_id'], to: accounts }],
  indexes: [
    {
      name: 'key_materials_by_ordinal',
      columns: ['account_id', 'key_id', 'ordinal'],
      unique: true,
    },
  ],
  change: {
    kind: 'material',
    account: 'account_id',
    region: 'region',
    id: ['material_id'],
    withoutVersion: true,
  },
  emptied: true,
})

/** The state of each of a key's materials, in each Region of a multi-Region key. */
export const materialStates = tableOf<MaterialStateRecord>()({
  name: 'material_states',
  columns: {
    account_id: text('accountId'),
    region: text('region'),
    key_id: text('keyId'),
    material_id: text('materialId'),
    ordinal: number('ordinal'),
    state: text('state'),
    import_state: optional(text('importState')),
    expiration_model: optional(text('expirationModel')),
    valid_to: optional(number('validTo')),
    expired_at: optional(number('expiredAt')),
    description: optional(text('description')),
    rotation_type: optional(text('rotationType')),
    rotated_at: optional(number('rotatedAt')),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  primaryKey: ['account_id', 'region', 'key_id', 'material_id'],
  references: [{ columns: ['account_id', 'region', 'key_id'], to: keys, whenDeleted: 'delete' }],
  indexes: [
    {
      name: 'material_states_by_ordinal',
      columns: ['account_id', 'region', 'key_id', 'ordinal'],
      unique: true,
    },
    {
      name: 'materials_expiring',
      columns: ['valid_to', 'account_id', 'region', 'key_id', 'material_id'],
      having: 'valid_to',
    },
  ],
  // These rows are not cached. The change names their key, so that caches drop the key.
  change: {
    kind: 'key',
    account: 'account_id',
    region: 'region',
    id: ['key_id'],
    withoutVersion: true,
  },
  emptied: true,
})

/** The tombstone of a deleted key. */
export interface DeletedKey extends KeyRef {
  /** Versions of the domain keys that wrapped its materials. */
  readonly wrappingVersions: readonly number[]
  readonly deletedAt: number
  /** The latest seal of the root key at the time. */
  readonly sealGeneration: number
}

export const deletedKeys = tableOf<DeletedKey>()({
  name: 'deleted_keys',
  columns: {
    account_id: text('accountId'),
    region: text('region'),
    key_id: text('keyId'),
    wrapping_versions: json('wrappingVersions'),
    deleted_at: number('deletedAt'),
    seal_generation: number('sealGeneration'),
    row_tag: rowTag,
  },
  primaryKey: ['account_id', 'region', 'key_id'],
  references: [{ columns: ['account_id'], to: accounts }],
  emptied: true,
})

/** The tombstone of a material that was deleted from an existing key. */
export interface DeletedMaterial extends Pick<
  MaterialRecord,
  'accountId' | 'keyId' | 'materialId' | 'wrappingVersion'
> {
  /** The latest seal of the root key at the time. */
  readonly sealGeneration: number
}

export const deletedMaterials = tableOf<DeletedMaterial>()({
  name: 'deleted_materials',
  columns: {
    account_id: text('accountId'),
    key_id: text('keyId'),
    material_id: text('materialId'),
    wrapping_version: number('wrappingVersion'),
    seal_generation: number('sealGeneration'),
    row_tag: rowTag,
  },
  primaryKey: ['account_id', 'key_id', 'material_id'],
  emptied: true,
})
