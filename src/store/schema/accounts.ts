/** The tables of accounts and of credentials. @module */
import type { AccessKeyRecord, AccessKeyUse, AccountRecord } from '../../model/access-key.ts'
import type { Organization } from '../../model/organization.ts'
import type { ServiceRecord } from '../../model/service.ts'
import { bytes, json, number, optional, rowTag, text } from './columns.ts'
import { tableOf } from './table.ts'

export const accounts = tableOf<AccountRecord>()({
  name: 'accounts',
  columns: {
    account_id: text('accountId'),
    alias: optional(text('alias')),
    /** Null for an account outside any organization, like the three columns below. */
    organization_id: optional(text()),
    organization_unit: optional(text()),
    /** A list of documents for each level. */
    service_control_policies: optional(json()),
    /** A list of documents. */
    resource_control_policies: optional(json()),
    created_at: number('createdAt'),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  compose: {
    columns: ({ organization }) => ({
      organization_id: organization?.organizationId ?? null,
      organization_unit: organization?.unit ?? null,
      service_control_policies: organization
        ? JSON.stringify(organization.serviceControlPolicies)
        : null,
      resource_control_policies: organization
        ? JSON.stringify(organization.resourceControlPolicies)
        : null,
    }),
    members: ['organization'],
    read({ organization_id: organizationId, organization_unit: unit, ...row }) {
      if (organizationId === null) return {}
      const organization: Organization = {
        organizationId,
        ...(unit !== null && { unit }),
        serviceControlPolicies: JSON.parse(row.service_control_policies ?? '[]') as string[][],
        resourceControlPolicies: JSON.parse(row.resource_control_policies ?? '[]') as string[],
      }
      return { organization }
    },
  },
  primaryKey: ['account_id'],
  // No two accounts have the same alias; any number have none.
  indexes: [{ name: 'accounts_by_alias', columns: ['alias'], unique: true }],
  change: { kind: 'account', account: 'account_id', id: ['account_id'] },
  emptied: true,
})

export const accessKeys = tableOf<AccessKeyRecord>()({
  name: 'access_keys',
  columns: {
    access_key_id: text('accessKeyId'),
    account_id: text('accountId'),
    principal_kind: text('principalKind'),
    principal_id: text('principalId'),
    status: text('status'),
    wrapping_version: number('wrappingVersion'),
    wrapped_secret: bytes('wrappedSecret'),
    created_at: number('createdAt'),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  primaryKey: ['access_key_id'],
  references: [{ columns: ['account_id'], to: accounts }],
  indexes: [
    { name: 'access_keys_by_account', columns: ['account_id', 'access_key_id'] },
    { name: 'access_keys_by_principal', columns: ['principal_id', 'access_key_id'] },
  ],
  change: { kind: 'access-key', account: 'account_id', id: ['access_key_id'] },
  emptied: true,
})

/**
 * The last use of each access key; absent if it was never used. It decides nothing, so it has no
 * row tag, and nothing caches it.
 */
export const accessKeyUsage = tableOf<AccessKeyUse>()({
  name: 'access_key_usage',
  columns: {
    access_key_id: text('accessKeyId'),
    service: text('service'),
    region: text('region'),
    used_at: number('usedAt'),
  },
  primaryKey: ['access_key_id'],
  references: [{ columns: ['access_key_id'], to: accessKeys, whenDeleted: 'delete' }],
})

/** A service that is registered again is a new one, with another access key. */
export const services = tableOf<ServiceRecord>()({
  name: 'services',
  columns: {
    name: text('name'),
    region: text('region'),
    access_key_id: text('accessKeyId'),
    hosts: json('hosts'),
    wrapping_version: number('wrappingVersion'),
    wrapped_secret: bytes('wrappedSecret'),
    created_at: number('createdAt'),
    row_version: number('rowVersion'),
    row_tag: rowTag,
  },
  primaryKey: ['name', 'region'],
  indexes: [{ name: 'services_by_access_key', columns: ['access_key_id'], unique: true }],
  change: { kind: 'service', region: 'region', id: ['access_key_id'] },
  emptied: true,
})
