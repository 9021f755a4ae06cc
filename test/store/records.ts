/** Records to put into a store. @module */
import type { AccessKeyRecord } from '../../src/model/access-key.ts'
import type { CustomKeyStoreRecord } from '../../src/model/custom-key-store.ts'
import type { GrantRecord } from '../../src/model/grant.ts'
import type { AliasRecord, KeyRecord, MaterialRecord } from '../../src/model/key.ts'
import type { MaterialStateRecord } from '../../src/model/key-material.ts'
import { defaultSelectors, type TrailRecord } from '../../src/model/trail.ts'
import type {
  ExportedKeyRecord,
  ProxyCredentialRecord,
  ServedProxyRecord,
} from '../../src/model/served-proxy.ts'
import type { ServiceRecord } from '../../src/model/service.ts'
import type { Store } from '../../src/store/store.ts'

export const accountId = '111122223333'
export const otherAccountId = '444455556666'
export const region = 'us-west-2'
export const otherRegion = 'eu-north-1'
export const storeId = 'cks-0123456789abcdef0'
export const proxyId = 'xks-0123456789abcdef0'
export const otherProxyId = 'xks-0123456789abcdef1'

type New<T> = Omit<T, 'rowVersion'>

export function newKey(keyId: string, members: Partial<New<KeyRecord>> = {}): New<KeyRecord> {
  return {
    accountId,
    region,
    keyId,
    spec: 'SYMMETRIC_DEFAULT',
    usage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    manager: 'CUSTOMER',
    state: 'Enabled',
    description: 'for the tests',
    createdAt: 1_700_000_000_000,
    currentMaterialId: 'ab'.repeat(32),
    policy: '{"Version":"2012-10-17","Statement":[]}',
    policyPrincipals: { 'arn:aws:iam::111122223333:root': accountId },
    tags: [{ TagKey: 'team', TagValue: 'blue' }],
    ...members,
  }
}

export function newKeyStore(
  members: Partial<New<CustomKeyStoreRecord>> = {},
): New<CustomKeyStoreRecord> {
  return {
    accountId,
    region,
    storeId,
    name: 'external',
    type: 'EXTERNAL_KEY_STORE',
    connection: 'DISCONNECTED',
    createdAt: 1,
    proxy: {
      endpoint: 'https://xks.example.com',
      path: '/kms/xks/v1',
      connectivity: 'PUBLIC_ENDPOINT',
      accessKeyId: 'ABCDEFGHIJKLMNOPQRST',
      credentialSetAt: 1,
    },
    wrappedSecret: new Uint8Array(40).fill(7),
    wrappingVersion: 1,
    ...members,
  }
}

export function newServedProxy(
  members: Partial<New<ServedProxyRecord>> = {},
): New<ServedProxyRecord> {
  const limits = { operations: ['Encrypt'], awsPrincipalArn: ['arn:aws:iam::*'] } as const
  return { proxyId, accountId, region, name: 'proxy', limits, createdAt: 3, ...members }
}

export function newProxyCredential(
  accessKeyId: string,
  members: Partial<New<ProxyCredentialRecord>> = {},
): New<ProxyCredentialRecord> {
  return {
    accessKeyId,
    proxyId,
    accountId,
    region,
    limits: { keyIds: ['k1'] },
    createdAt: 4,
    wrappedSecret: new Uint8Array(68).fill(9),
    wrappingVersion: 1,
    ...members,
  }
}

export function newExportedKey(
  keyId: string,
  members: Partial<New<ExportedKeyRecord>> = {},
): New<ExportedKeyRecord> {
  return { proxyId, keyId, accountId, region, usages: ['ENCRYPT'], createdAt: 5, ...members }
}

export function newAlias(
  name: string,
  targetKeyId: string,
  members: Partial<New<AliasRecord>> = {},
): New<AliasRecord> {
  return { accountId, region, name, targetKeyId, createdAt: 5, updatedAt: 6, ...members }
}

export function newTrail(name: string, members: Partial<New<TrailRecord>> = {}): New<TrailRecord> {
  return {
    accountId,
    homeRegion: region,
    name,
    bucket: 'logs',
    multiRegion: true,
    includeGlobalServiceEvents: true,
    logFileValidation: true,
    selectors: defaultSelectors,
    isLogging: true,
    startedAt: 10,
    createdAt: 9,
    ...members,
  }
}

export function newService(
  name: string,
  members: Partial<New<ServiceRecord>> = {},
): New<ServiceRecord> {
  return {
    name,
    region,
    accessKeyId: `ATSV${name}`,
    hosts: [`*.${name}`],
    wrappingVersion: 1,
    wrappedSecret: new Uint8Array(68).fill(9),
    createdAt: 7,
    ...members,
  }
}

export function newAccessKey(
  accessKeyId: string,
  members: Partial<New<AccessKeyRecord>> = {},
): New<AccessKeyRecord> {
  return {
    accessKeyId,
    accountId,
    principalKind: 'root',
    principalId: accountId,
    status: 'Active',
    wrappingVersion: 1,
    wrappedSecret: new Uint8Array(68).fill(9),
    createdAt: 7,
    ...members,
  }
}

export function newMaterial(
  materialId: string,
  keyId: string,
  members: Partial<MaterialRecord> = {},
): MaterialRecord {
  return {
    materialId,
    accountId,
    region,
    keyId,
    spec: 'SYMMETRIC_DEFAULT',
    usage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    wrappingVersion: 1,
    wrapped: new Uint8Array(60).fill(3),
    createdAt: 8,
    ...members,
  }
}

export function newMaterialState(
  materialId: string,
  keyId: string,
  members: Partial<New<MaterialStateRecord>> = {},
): New<MaterialStateRecord> {
  return { accountId, region, keyId, materialId, ordinal: 1, state: 'CURRENT', ...members }
}

export function newGrant(
  grantId: string,
  keyId: string,
  members: Partial<New<GrantRecord>> = {},
): New<GrantRecord> {
  return {
    accountId,
    region,
    keyId,
    grantId,
    granteePrincipal: `arn:aws:iam::${accountId}:root`,
    granteeId: accountId,
    issuingAccountId: accountId,
    operations: ['Encrypt', 'Decrypt'],
    createdAt: 10,
    ...members,
  }
}

/** Two accounts, so that nothing can rely on there being one. */
export async function insertAccounts(store: Store): Promise<void> {
  await store.change(async (transaction) => {
    await transaction.insertAccount({ accountId, createdAt: 1 })
    await transaction.insertAccount({ accountId: otherAccountId, createdAt: 2 })
  })
}

export function insertKeys(store: Store, ...keys: readonly New<KeyRecord>[]): Promise<void> {
  return store.change(async (transaction) => {
    for (const key of keys) await transaction.insertKey(key)
  })
}
