/** A forged value for every column of the tables whose rows carry a tag. @module */
import type { Store } from '../../src/store/store.ts'
import { otherAccountId, otherProxyId, otherRegion, region } from './records.ts'

export type Value = string | number | bigint | Uint8Array | null

export interface Forgery {
  readonly table:
    | 'accounts'
    | 'access_keys'
    | 'keys'
    | 'material_states'
    | 'aliases'
    | 'grants'
    | 'trails'
    | 'services'
    | 'served_proxies'
    | 'proxy_credentials'
    | 'exported_keys'
  /** The forged row. */
  readonly where: Readonly<Record<string, string>>
  /** A forged value for each column; those of the primary key move the row to a free place. */
  readonly columns: Readonly<Record<string, Value>>
  readonly find: (store: Store, forged: Readonly<Record<string, Value>>) => Promise<unknown>
}

export const forgeries: readonly Forgery[] = [
  {
    table: 'accounts',
    where: { account_id: '777777777777' },
    columns: {
      alias: 'forged',
      organization_id: 'o-forged0000',
      organization_unit: 'r-zz99',
      service_control_policies: '[]',
      resource_control_policies: '[]',
      account_id: '888888888888',
      created_at: 3,
      row_version: 2,
    },
    find: (store, row) => store.findAccount(String(row['account_id'])),
  },
  {
    table: 'access_keys',
    where: { access_key_id: 'AKIA1' },
    columns: {
      access_key_id: 'AKIA2',
      account_id: otherAccountId,
      principal_kind: 'user',
      principal_id: otherAccountId,
      status: 'Inactive',
      wrapping_version: 2,
      wrapped_secret: Buffer.concat([new Uint8Array(67).fill(9), Buffer.of(8)]),
      created_at: 8,
      row_version: 2,
    },
    find: (store, row) => store.findAccessKey(String(row['access_key_id'])),
  },
  {
    table: 'keys',
    where: { key_id: 'k1' },
    columns: {
      account_id: otherAccountId,
      region: otherRegion,
      key_id: 'k0',
      spec: 'HMAC_256',
      usage: 'GENERATE_VERIFY_MAC',
      origin: 'EXTERNAL',
      manager: 'AWS',
      state: 'Disabled',
      description: '"for the texts"',
      created_at: 2n ** 60n,
      deletion_date: 1,
      pending_window_days: 7,
      primary_region: region,
      current_material_id: null,
      policy: '{"Version":"2012-10-17","Statement":[ ]}',
      policy_principals: '{}',
      tags: '[{"TagKey":"team","TagValue":"red"}]',
      rotation_period_days: 90,
      next_rotation_at: 1,
      on_demand_rotation_started_at: 1,
      transition_started_at: 1,
      material_expiration_model: 'KEY_MATERIAL_EXPIRES',
      material_expires_at: 1,
      custom_key_store_id: 'cks-0123456789abcdef0',
      xks_key_id: 'forged',
      connected_state: 'Enabled',
      row_version: 2,
    },
    find: (store, row) =>
      store.findKey({
        accountId: String(row['account_id']),
        region: String(row['region']),
        keyId: String(row['key_id']),
      }),
  },
  {
    table: 'material_states',
    where: { material_id: 'a'.repeat(64) },
    columns: {
      account_id: otherAccountId,
      region: otherRegion,
      key_id: 'k3',
      material_id: 'b'.repeat(64),
      ordinal: 2,
      state: 'NON_CURRENT',
      import_state: 'PENDING_IMPORT',
      expiration_model: 'KEY_MATERIAL_EXPIRES',
      valid_to: 1,
      expired_at: 1,
      description: 'forged',
      rotation_type: 'ON_DEMAND',
      rotated_at: 1,
      row_version: 2,
    },
    find: (store, row) =>
      store.findMaterialState({
        accountId: String(row['account_id']),
        region: String(row['region']),
        keyId: String(row['key_id']),
        materialId: String(row['material_id']),
      }),
  },
  {
    table: 'aliases',
    where: { name: 'alias/a' },
    columns: {
      account_id: otherAccountId,
      region: otherRegion,
      name: 'alias/b',
      target_key_id: 'k3',
      created_at: 7,
      updated_at: 7,
      row_version: 2,
    },
    find: (store, row) =>
      store.findAlias({
        accountId: String(row['account_id']),
        region: String(row['region']),
        name: String(row['name']),
      }),
  },
  {
    table: 'grants',
    where: { grant_id: 'a'.repeat(64) },
    columns: {
      account_id: otherAccountId,
      region: otherRegion,
      key_id: 'k3',
      grant_id: 'b'.repeat(64),
      name: 'forged',
      grantee: 'arn:aws:iam::444455556666:root',
      grantee_id: null,
      retiree: 'arn:aws:iam::444455556666:root',
      retiree_id: otherAccountId,
      issuing_account_id: otherAccountId,
      operations: '["Decrypt"]',
      constraints: null,
      request_digest: 'ab',
      created_at: 11,
      row_version: 2,
    },
    find: (store, row) =>
      store.findGrant({
        accountId: String(row['account_id']),
        region: String(row['region']),
        keyId: String(row['key_id']),
        grantId: String(row['grant_id']),
      }),
  },
  {
    table: 'trails',
    where: { name: 'forged-trail' },
    columns: {
      account_id: otherAccountId,
      home_region: otherRegion,
      name: 'another-trail',
      bucket: 'elsewhere',
      prefix: 'p',
      multi_region: 0,
      global_events: 0,
      validation: 0,
      kms_key_id: 'k',
      topic_arn: 't',
      selectors: '[]',
      logging: 0,
      started_at: 1,
      stopped_at: 1,
      created_at: 1,
      row_version: 2,
    },
    find: (store, row) =>
      store.findTrail({
        accountId: String(row['account_id']),
        homeRegion: String(row['home_region']),
        name: String(row['name']),
      }),
  },
  {
    table: 'services',
    where: { name: 's3.amazonaws.com' },
    columns: {
      name: 'ec2.amazonaws.com',
      region: otherRegion,
      access_key_id: 'ATSVOTHER',
      hosts: '["evil.example.org"]',
      wrapping_version: 2,
      wrapped_secret: Buffer.concat([new Uint8Array(67).fill(9), Buffer.of(8)]),
      created_at: 8,
      row_version: 2,
    },
    find: (store, row) =>
      store.findService({ name: String(row['name']), region: String(row['region']) }),
  },
  {
    table: 'served_proxies',
    // Nothing refers to this one, so that its id can change.
    where: { proxy_id: otherProxyId },
    columns: {
      proxy_id: 'xks-ffffffffffffffff0',
      account_id: otherAccountId,
      region: otherRegion,
      name: 'forged',
      limits: null,
      created_at: 8,
      row_version: 2,
    },
    find: (store, row) => store.findServedProxy({ proxyId: String(row['proxy_id']) }),
  },
  {
    table: 'proxy_credentials',
    where: { access_key_id: 'ABCDEFGHIJKLMNOPQRST' },
    columns: {
      access_key_id: 'ABCDEFGHIJKLMNOPQRSU',
      proxy_id: otherProxyId,
      account_id: otherAccountId,
      region: otherRegion,
      limits: null,
      created_at: 8,
      wrapping_version: 2,
      wrapped_secret: Buffer.concat([new Uint8Array(67).fill(9), Buffer.of(8)]),
      row_version: 2,
    },
    find: async (store, row) => {
      const of = { proxyId: String(row['proxy_id']) }
      const found = await store.listProxyCredentials(of)
      return found.find((each) => each.accessKeyId === row['access_key_id'])
    },
  },
  {
    table: 'exported_keys',
    where: { key_id: 'k1' },
    columns: {
      proxy_id: otherProxyId,
      key_id: 'k2',
      account_id: otherAccountId,
      region: otherRegion,
      usages: '["ENCRYPT","DECRYPT"]',
      created_at: 8,
      row_version: 2,
    },
    find: (store, row) =>
      store.findExportedKey({ proxyId: String(row['proxy_id']), keyId: String(row['key_id']) }),
  },
]
