/** The tables of custom key stores, and of keys in their HSMs on which no KMS key relies. @module */
import type { CustomKeyStoreRecord } from '../../model/custom-key-store.ts'
import type { HsmObject } from '../../model/hsm-object.ts'
import { accounts } from './accounts.ts'
import { bytes, json, number, optional, rowTag, text } from './columns.ts'
import { tableOf } from './table.ts'

export const customKeyStores = tableOf<CustomKeyStoreRecord>()({
  name: 'custom_key_stores',
  columns: {
    account_id: text('accountId'),
    region: text('region'),
    store_id: text('storeId'),
    name: json('name'),
    type: text('type'),
    connection: text('connection'),
    connection_error: optional(text('connectionError')),
    created_at: number('createdAt'),
    proxy: optional(json('proxy')),
    cluster: optional(json('cluster')),
    wrapped_secret: bytes('wrappedSecret'),
    wrapping_version: number('wrappingVersion'),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  primaryKey: ['account_id', 'region', 'store_id'],
  references: [{ columns: ['account_id'], to: accounts }],
  indexes: [
    {
      name: 'custom_key_stores_by_state',
      columns: ['connection', 'account_id', 'region', 'store_id'],
    },
  ],
  change: { kind: 'key-store', account: 'account_id', region: 'region', id: ['store_id'] },
  emptied: true,
})

export const hsmObjects = tableOf<HsmObject>()({
  name: 'hsm_objects',
  columns: {
    material_id: text('materialId'),
    account_id: text('accountId'),
    region: text('region'),
    store_id: text('storeId'),
    key_id: text('keyId'),
    phase: text('phase'),
    since: number('since'),
    row_tag: rowTag,
  },
  primaryKey: ['material_id'],
  references: [
    {
      columns: ['account_id', 'region', 'store_id'],
      to: customKeyStores,
      // Without its key store, nothing can log in to the HSM any more.
      whenDeleted: 'delete',
    },
  ],
  emptied: true,
})
