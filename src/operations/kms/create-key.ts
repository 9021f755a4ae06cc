/**
 * CreateKey — creates a key with its material, policy and tags in one transaction.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
 * @module
 */
import type { CreateKeyRequest, CreateKeyResponse } from '@aws-sdk/client-kms'
import { boolean, oneOf, text } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { auditedMetadata, keyMetadata } from './key-metadata.ts'
import { customKeyStoreId, description, policy, tags } from './members.ts'
import { backingKey } from '../../model/backing-key.ts'
import { clusterErrors } from './clusters.ts'
import { requireCustomKeyStore, requireStillFit } from './key-in-store.ts'
import { withMultiRegionRole } from './service-linked-role.ts'
import { requestedKey, newKeyId, requireNewKey } from './new-key.ts'
import { requireUnderQuota } from './resource-quota.ts'
import { checkTags, tagEntries, tagPermissions } from './tags.ts'

const oldSpecs = [
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'SYMMETRIC_DEFAULT',
  'HMAC_224',
  'HMAC_256',
  'HMAC_384',
  'HMAC_512',
  'SM2',
] as const

export const createKey = operation<CreateKeyRequest, CreateKeyResponse>()({
  name: 'CreateKey',
  input: {
    Policy: policy,
    Description: description,
    KeyUsage: oneOf([
      'ENCRYPT_DECRYPT',
      'SIGN_VERIFY',
      'GENERATE_VERIFY_MAC',
      'KEY_AGREEMENT',
      'ENCAPSULATE_DECAPSULATE',
    ]),
    CustomerMasterKeySpec: oneOf(oldSpecs),
    KeySpec: oneOf([
      ...oldSpecs,
      'ECC_NIST_EDWARDS25519',
      'ML_DSA_44',
      'ML_DSA_65',
      'ML_DSA_87',
      'ML_KEM_512',
      'ML_KEM_768',
      'ML_KEM_1024',
    ]),
    Origin: oneOf(['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE']),
    CustomKeyStoreId: customKeyStoreId,
    BypassPolicyLockoutSafetyCheck: boolean(),
    Tags: tags,
    MultiRegion: boolean(),
    XksKeyId: text({ min: 1, max: 128, pattern: '^[a-zA-Z0-9-_.]+$' }),
  },
  keys: {},
  permissions: (input) => [{ action: 'kms:CreateKey' }, ...tagPermissions(input.Tags)],
  context(input) {
    const { spec, usage, origin } = requestedKey(input)
    return {
      'kms:KeySpec': spec,
      'kms:KeyUsage': usage,
      'kms:CustomerMasterKeySpec': spec,
      'kms:CustomerMasterKeyUsage': usage,
      'kms:KeyOrigin': origin,
      'kms:MultiRegion': String(input.MultiRegion ?? false),
      'kms:MultiRegionKeyType': input.MultiRegion === true ? 'PRIMARY' : undefined,
      'kms:BypassPolicyLockoutSafetyCheck': String(input.BypassPolicyLockoutSafetyCheck ?? false),
      ...tagEntries(input.Tags),
    }
  },
  readOnly: false,
  audit: [
    'Policy',
    'Description',
    'KeyUsage',
    'CustomerMasterKeySpec',
    'KeySpec',
    'Origin',
    'CustomKeyStoreId',
    'BypassPolicyLockoutSafetyCheck',
    'Tags',
    'MultiRegion',
    'XksKeyId',
  ],
  auditDefaults(input) {
    const { spec, usage, origin } = requestedKey(input)
    return {
      description: '',
      keyUsage: usage,
      customerMasterKeySpec: spec,
      keySpec: spec,
      origin,
      bypassPolicyLockoutSafetyCheck: false,
    }
  },
  auditResponse: (output) =>
    output.KeyMetadata === undefined ? {} : { keyMetadata: auditedMetadata(output.KeyMetadata) },
  throws: [
    'ValidationException',
    'UnsupportedOperationException',
    'TagException',
    'AccessDeniedException',
    'LimitExceededException',
    'MalformedPolicyDocumentException',
    'CustomKeyStoreNotFoundException',
    'CustomKeyStoreInvalidStateException',
    ...clusterErrors,
    'XksKeyNotFoundException',
    'XksKeyInvalidConfigurationException',
    'XksKeyAlreadyInUseException',
    'KMSInvalidStateException',
    'KeyUnavailableException',
    'DependencyTimeoutException',
    'ThrottlingException',
  ],
  check(input) {
    requireNewKey(input)
    checkTags(input.Tags ?? [])
  },
  async run(call, dependencies) {
    const { input, caller, partition, region, arn, commit, signal } = call
    const made = requireNewKey(input)
    const ref = {
      accountId: caller.accountId,
      region,
      keyId: newKeyId(dependencies.random.uuid(), input),
    }
    const keyPolicy = input.Policy ?? dependencies.policies.defaultFor(partition, ref.accountId)
    // The default policy lets the account change it, so it locks nobody out.
    const bypass = input.Policy === undefined || (input.BypassPolicyLockoutSafetyCheck ?? false)
    const policyPrincipals = await dependencies.policies.check(keyPolicy, ref, call, bypass)
    const createdAt = dependencies.clock.now()
    const found = await requireCustomKeyStore(call, made.origin, dependencies)
    const { inStore, clusterId } = found ?? {}
    const keyStore = call.keyStoreOf(made)
    // A key with imported material has none at first.
    const material =
      made.origin === 'EXTERNAL'
        ? undefined
        : await keyStore.createMaterial({ ...ref, ...made, ...inStore, createdAt }, signal)
    return commit(async (transaction) => {
      const { keys } = dependencies.quotas.resources
      const quota = 'KMS keys quota for this account in this region'
      await requireUnderQuota(keys, () => transaction.countKeys(ref.accountId, region), quota)
      if (inStore !== undefined) await requireStillFit(transaction, ref, inStore, material)
      const key = await transaction.insertKey({
        ...ref,
        ...made,
        ...inStore,
        manager: 'CUSTOMER',
        state: material === undefined ? 'PendingImport' : 'Enabled',
        description: input.Description ?? '',
        createdAt,
        ...(input.MultiRegion === true && { primaryRegion: region }),
        ...(material && { currentMaterialId: material.materialId }),
        policy: keyPolicy,
        policyPrincipals,
        tags: input.Tags ?? [],
      })
      if (material !== undefined) {
        const { materialId } = material
        await transaction.insertMaterial(material)
        await transaction.insertMaterialState({ ...ref, materialId, ordinal: 1, state: 'CURRENT' })
      }
      call.made(key)
      if (clusterId !== undefined && material !== undefined) {
        call.aboutKeyStore({ backingKey: JSON.stringify(backingKey(material)) })
      }
      return { KeyMetadata: keyMetadata(key, arn, { clusterId }) }
    })
  },
  async alsoChanges(call, transaction, dependencies) {
    if (call.input.MultiRegion === true) await withMultiRegionRole(call, transaction, dependencies)
  },
})
