/** One call of every operation but CreateKey, with what the audit record of it says. @module */
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  ListAliasesCommand,
  ListKeyPoliciesCommand,
  ListKeyRotationsCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { accountId, region } from '../harness.ts'
import type { MadeKey } from './sdk.ts'

const root = `arn:aws:iam::${accountId}:root`
const Plaintext = Buffer.from('x')
const allowAll = { Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' }
const policy = JSON.stringify({ Version: '2012-10-17', Statement: [allowAll] })

export interface AuditedCall {
  readonly name: string
  readonly readOnly: boolean
  readonly run: (key: MadeKey, other: MadeKey, sealed: Uint8Array) => Promise<unknown>
  readonly parameters: (key: MadeKey, other: MadeKey) => object | null
  /** ARNs that the record names: the key’s alone when left out. */
  readonly about?: (key: MadeKey, other: MadeKey) => readonly string[]
  /** `additionalEventData`: of calls that work with a symmetric key's material. */
  readonly material?: (key: MadeKey, other: MadeKey) => object
}

const alias = `arn:aws:kms:${region}:${accountId}:alias/audited`
const SYMMETRIC_DEFAULT = 'SYMMETRIC_DEFAULT'
const byMaterial = ({ materialId }: MadeKey): object => ({ keyMaterialId: materialId })
const byKey = ({ keyId }: MadeKey): object => ({ keyId })

/** In an order in which each finds what it needs: the alias, the tag, the state. */
export function auditedCalls(kms: KMSClient): readonly AuditedCall[] {
  return [
    {
      name: 'Encrypt',
      material: byMaterial,
      readOnly: true,
      run: ({ keyId: KeyId }) =>
        kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext: { Case: 'kept' } })),
      parameters: ({ keyId }) => ({
        keyId,
        encryptionContext: { Case: 'kept' },
        encryptionAlgorithm: SYMMETRIC_DEFAULT,
      }),
    },
    {
      name: 'Decrypt',
      material: byMaterial,
      readOnly: true,
      run: (_key, _other, CiphertextBlob) => kms.send(new DecryptCommand({ CiphertextBlob })),
      parameters: () => ({ encryptionAlgorithm: SYMMETRIC_DEFAULT }),
    },
    {
      name: 'ReEncrypt',
      material: (key, other) => ({
        sourceKeyMaterialId: key.materialId,
        destinationKeyMaterialId: other.materialId,
      }),
      readOnly: true,
      run: (_key, { keyId: DestinationKeyId }, CiphertextBlob) =>
        kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId })),
      parameters: (_key, { keyId: destinationKeyId }) => ({
        destinationKeyId,
        sourceEncryptionAlgorithm: SYMMETRIC_DEFAULT,
        destinationEncryptionAlgorithm: SYMMETRIC_DEFAULT,
      }),
      about: (key, other) => [key.arn, other.arn],
    },
    {
      name: 'GenerateDataKey',
      material: byMaterial,
      readOnly: true,
      run: ({ arn: KeyId }) => kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })),
      parameters: ({ arn: keyId }) => ({ keyId, keySpec: 'AES_256' }),
    },
    {
      name: 'GenerateDataKeyWithoutPlaintext',
      material: byMaterial,
      readOnly: true,
      run: ({ keyId: KeyId }) =>
        kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 7 })),
      parameters: ({ keyId }) => ({ keyId, numberOfBytes: 7 }),
    },
    {
      name: 'GenerateRandom',
      readOnly: true,
      run: () => kms.send(new GenerateRandomCommand({ NumberOfBytes: 7 })),
      parameters: () => null,
      about: () => [],
    },
    {
      name: 'DescribeKey',
      readOnly: true,
      run: ({ keyId: KeyId }) => kms.send(new DescribeKeyCommand({ KeyId })),
      parameters: byKey,
    },
    {
      name: 'ListKeys',
      readOnly: true,
      run: () => kms.send(new ListKeysCommand({ Limit: 2 })),
      parameters: () => ({ limit: 2 }),
      about: () => [],
    },
    {
      name: 'CreateAlias',
      readOnly: false,
      run: ({ keyId: TargetKeyId }) =>
        kms.send(new CreateAliasCommand({ AliasName: 'alias/audited', TargetKeyId })),
      parameters: ({ keyId: targetKeyId }) => ({ aliasName: 'alias/audited', targetKeyId }),
      about: ({ arn }) => [alias, arn],
    },
    {
      name: 'UpdateAlias',
      readOnly: false,
      run: (_key, { keyId: TargetKeyId }) =>
        kms.send(new UpdateAliasCommand({ AliasName: 'alias/audited', TargetKeyId })),
      parameters: (_key, { keyId: targetKeyId }) => ({ aliasName: 'alias/audited', targetKeyId }),
      about: (key, other) => [alias, key.arn, other.arn],
    },
    {
      name: 'ListAliases',
      readOnly: true,
      run: () => kms.send(new ListAliasesCommand({})),
      parameters: () => null,
      about: () => [],
    },
    {
      name: 'DeleteAlias',
      readOnly: false,
      run: () => kms.send(new DeleteAliasCommand({ AliasName: 'alias/audited' })),
      parameters: () => ({ aliasName: 'alias/audited' }),
      about: (_key, other) => [alias, other.arn],
    },
    {
      name: 'UpdateKeyDescription',
      readOnly: false,
      run: ({ keyId: KeyId }) =>
        kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'other' })),
      parameters: ({ keyId }) => ({ keyId, description: 'other' }),
    },
    {
      name: 'TagResource',
      readOnly: false,
      run: ({ keyId: KeyId }) =>
        kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'K', TagValue: 'V' }] })),
      parameters: ({ keyId }) => ({ keyId, tags: [{ tagKey: 'K', tagValue: 'V' }] }),
    },
    {
      name: 'ListResourceTags',
      readOnly: true,
      run: ({ keyId: KeyId }) => kms.send(new ListResourceTagsCommand({ KeyId })),
      parameters: byKey,
    },
    {
      name: 'UntagResource',
      readOnly: false,
      run: ({ keyId: KeyId }) => kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['K'] })),
      parameters: ({ keyId }) => ({ keyId, tagKeys: ['K'] }),
    },
    {
      name: 'GetKeyPolicy',
      readOnly: true,
      run: ({ keyId: KeyId }) => kms.send(new GetKeyPolicyCommand({ KeyId })),
      parameters: ({ keyId }) => ({ keyId, policyName: 'default' }),
    },
    {
      name: 'PutKeyPolicy',
      readOnly: false,
      run: ({ keyId: KeyId }) => kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policy })),
      parameters: ({ keyId }) => ({
        keyId,
        policyName: 'default',
        policy,
        bypassPolicyLockoutSafetyCheck: false,
      }),
    },
    {
      name: 'ListKeyPolicies',
      readOnly: true,
      run: ({ keyId: KeyId }) => kms.send(new ListKeyPoliciesCommand({ KeyId })),
      parameters: byKey,
    },
    {
      name: 'EnableKeyRotation',
      readOnly: false,
      run: ({ keyId: KeyId }) =>
        kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 })),
      parameters: ({ keyId }) => ({ keyId, rotationPeriodInDays: 90 }),
    },
    {
      name: 'GetKeyRotationStatus',
      readOnly: true,
      run: ({ keyId: KeyId }) => kms.send(new GetKeyRotationStatusCommand({ KeyId })),
      parameters: byKey,
    },
    {
      name: 'ListKeyRotations',
      readOnly: true,
      run: ({ keyId: KeyId }) => kms.send(new ListKeyRotationsCommand({ KeyId, Limit: 9 })),
      parameters: ({ keyId }) => ({ keyId, limit: 9 }),
    },
    {
      name: 'DisableKeyRotation',
      readOnly: false,
      run: ({ keyId: KeyId }) => kms.send(new DisableKeyRotationCommand({ KeyId })),
      parameters: byKey,
    },
    {
      name: 'DisableKey',
      readOnly: false,
      run: ({ keyId: KeyId }) => kms.send(new DisableKeyCommand({ KeyId })),
      parameters: byKey,
    },
    {
      name: 'EnableKey',
      readOnly: false,
      run: ({ keyId: KeyId }) => kms.send(new EnableKeyCommand({ KeyId })),
      parameters: byKey,
    },
    {
      name: 'ScheduleKeyDeletion',
      readOnly: false,
      run: ({ keyId: KeyId }) => kms.send(new ScheduleKeyDeletionCommand({ KeyId })),
      parameters: ({ keyId }) => ({ keyId, pendingWindowInDays: 30 }),
    },
    {
      name: 'CancelKeyDeletion',
      readOnly: false,
      run: ({ keyId: KeyId }) => kms.send(new CancelKeyDeletionCommand({ KeyId })),
      parameters: byKey,
    },
  ]
}
