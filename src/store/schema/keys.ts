/** The tables of KMS keys and aliases. @module */
import type { AliasRecord, KeyRecord } from '../../model/key.ts'
import { accounts } from './accounts.ts'
import { json, number, optional, rowTag, text } from './columns.ts'
import { tableOf } from './table.ts'

export const keys = tableOf<KeyRecord>()({
  name: 'keys',
  columns: {
    account_id: text('accountId'),
    region: text('region'),
    key_id: text('keyId'),
    spec: text('spec'),
    usage: text('usage'),
    origin: text('origin'),
    manager: text('manager'),
    state: text('state'),
    description: json('description'),
    created_at: number('createdAt'),
    deletion_date: optional(number('deletionDate')),
    pending_window_days: optional(number('pendingWindowDays')),
    primary_region: optional(text('primaryRegion')),
    current_material_id: optional(text('currentMaterialId')),
    policy: text('policy'),
    policy_principals: json('policyPrincipals'),
    tags: json('tags'),
    rotation_period_days: optional(number('rotationPeriodDays')),
    next_rotation_at: optional(number('nextRotationAt')),
    on_demand_rotation_started_at: optional(number('onDemandRotationStartedAt')),
    transition_started_at: optional(number('transitionStartedAt')),
    material_expiration_model: optional(text('materialExpirationModel')),
    material_expires_at: optional(number('materialExpiresAt')),
    custom_key_store_id: optional(text('customKeyStoreId')),
    xks_key_id: optional(text('xksKeyId')),
    connected_state: optional(text('connectedState')),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  primaryKey: ['account_id', 'region', 'key_id'],
  references: [{ columns: ['account_id'], to: accounts }],
  // Most keys are in none of these.
  indexes: [
    {
      name: 'keys_to_delete',
      columns: ['state', 'deletion_date', 'account_id', 'region', 'key_id'],
      having: 'deletion_date',
    },
    {
      name: 'keys_to_rotate',
      columns: ['state', 'next_rotation_at', 'account_id', 'region', 'key_id'],
      having: 'next_rotation_at',
    },
    {
      name: 'keys_rotating',
      columns: ['on_demand_rotation_started_at', 'account_id', 'region', 'key_id'],
      having: 'on_demand_rotation_started_at',
    },
    {
      name: 'keys_in_transition',
      columns: ['transition_started_at', 'account_id', 'region', 'key_id'],
      having: 'transition_started_at',
    },
    {
      name: 'keys_related',
      columns: ['account_id', 'key_id', 'region'],
      having: 'primary_region',
    },
    {
      name: 'keys_in_store',
      columns: ['custom_key_store_id', 'account_id', 'region', 'key_id'],
      having: 'custom_key_store_id',
    },
  ],
  change: { kind: 'key', account: 'account_id', region: 'region', id: ['key_id'] },
  emptied: true,
})

export const aliases = tableOf<AliasRecord>()({
  name: 'aliases',
  columns: {
    account_id: text('accountId'),
    region: text('region'),
    name: text('name'),
    target_key_id: text('targetKeyId'),
    created_at: number('createdAt'),
    updated_at: number('updatedAt'),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  primaryKey: ['account_id', 'region', 'name'],
  // Also locks the key's row, so that a key deleted at the same time leaves no alias behind.
  references: [{ columns: ['account_id', 'region', 'target_key_id'], to: keys }],
  indexes: [
    {
      name: 'aliases_by_target',
      columns: ['account_id', 'region', 'target_key_id', 'name'],
    },
  ],
  change: { kind: 'alias', account: 'account_id', region: 'region', id: ['name'] },
  emptied: true,
})
