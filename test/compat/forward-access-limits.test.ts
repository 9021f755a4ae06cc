/** What a forward access session cannot call, whatever its user may. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IAMClient, ListUsersCommand } from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyRotationCommand,
  GetKeyPolicyCommand,
  ListGrantsCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  RevokeGrantCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { kmsRegistry } from '../../src/operations/kms/registry.ts'
import { isGrantable } from '../../src/authenticate/service-limits.ts'
import { accountId, region } from '../harness.ts'
import { denied } from './identities.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'
import { openServices, sending } from './services.ts'

const header = 'x-amz-forward-access-session'

test('a grant can give just these operations', () => {
  const grantable = [...kmsRegistry.values()].filter(isGrantable).map(({ name }) => name)
  assert.deepEqual(grantable.toSorted(), [
    'CreateGrant',
    'Decapsulate',
    'Decrypt',
    'DeriveSharedSecret',
    'DescribeKey',
    'Encapsulate',
    'Encrypt',
    'GenerateDataKey',
    'GenerateDataKeyPair',
    'GenerateDataKeyPairWithoutPlaintext',
    'GenerateDataKeyWithoutPlaintext',
    'GenerateMac',
    'GetPublicKey',
    'ReEncrypt',
    'RetireGrant',
    'Sign',
    'Verify',
    'VerifyMac',
  ])
})

test('for a user a service may what a grant can give, and nothing else', async (t) => {
  const services = await openServices(t)
  const { server, root } = services
  const admin = await services.newUser('admin', { Action: '*' })
  const { arn: KeyId, keyId } = await makeKey(root.kms)
  const s3 = await services.register('s3.amazonaws.com')
  const { forwardAccessSession: session } = await s3.prove(await s3.sent(admin))
  const kms = s3.kmsWith({ [header]: session })
  await kms.send(new DescribeKeyCommand({ KeyId }))
  const Tags = [{ TagKey: 'a', TagValue: 'b' }]
  const refusedCalls: readonly (() => Promise<unknown>)[] = [
    () => kms.send(new PutKeyPolicyCommand({ KeyId, Policy: '{}' })),
    () => kms.send(new GetKeyPolicyCommand({ KeyId })),
    () => kms.send(new CreateKeyCommand({})),
    () => kms.send(new ListKeysCommand({})),
    () => kms.send(new DisableKeyCommand({ KeyId })),
    () => kms.send(new ScheduleKeyDeletionCommand({ KeyId })),
    () => kms.send(new EnableKeyRotationCommand({ KeyId })),
    () => kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'x' })),
    () => kms.send(new TagResourceCommand({ KeyId, Tags })),
    () => kms.send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: keyId })),
    () => kms.send(new ListGrantsCommand({ KeyId })),
    () => kms.send(new RevokeGrantCommand({ KeyId, GrantId: 'a'.repeat(64) })),
  ]
  const message = /^Cannot call \w+ with a forward access session$/
  for (const call of refusedCalls) await denied(call(), 'AccessDeniedException', 400, message)
  const { accessKeyId, secretAccessKey } = s3
  const common = { endpoint: server.url, credentials: { accessKeyId, secretAccessKey }, region }
  const iam = sending({ [header]: session }, new IAMClient(common))
  const sts = sending({ [header]: session }, new STSClient(common))
  const role = { RoleArn: `arn:aws:iam::${accountId}:role/r`, RoleSessionName: 'job' }
  await denied(iam.send(new ListUsersCommand({})), 'AccessDenied', 403, message)
  await denied(sts.send(new GetCallerIdentityCommand({})), 'AccessDenied', 403, message)
  await denied(sts.send(new AssumeRoleCommand(role)), 'AccessDenied', 403, message)
  // Nor does a session lead to another one.
  const headers = { [header]: session }
  const proof = await s3.sent(admin)
  const { text } = await s3.post('/_trent/fas', proof, { headers })
  assert.match(text, /AccessDeniedException.*Cannot call CreateForwardAccessSession/)
  iam.destroy()
  sts.destroy()
  const refused = (await recordsOf(server.directory)).filter(({ errorCode }) => errorCode)
  assert.equal(refused.length, refusedCalls.length + 4)
  for (const { userIdentity } of refused) {
    assert.deepEqual(
      [userIdentity['arn'], userIdentity['invokedBy']],
      [admin.arn, 's3.amazonaws.com'],
    )
  }
})
