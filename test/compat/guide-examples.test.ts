/** The guides' worked examples of who may, by their names, against real calls. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateServiceLinkedRoleCommand } from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  EncryptCommand,
  ListGrantsCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import { callOperator } from '../../src/operator/client.ts'
import { accountId } from '../harness.ts'
import { account, delegating, encrypt, Plaintext, policy, refused } from './guides.ts'
import { denied, openIdentities } from './identities.ts'
import { makeKey } from './sdk.ts'

test('2015: users A, B and C against keys 1 and 2', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const a = await newUser('A')
  const b = await newUser('B', { Action: 'kms:*' })
  const c = await newUser('C', { Effect: 'Deny', Action: 'kms:*' })
  const one = await makeKey(root.kms, { Policy: policy(delegating) })
  const two = await makeKey(root.kms, {
    Policy: policy({ Principal: { AWS: a.arn }, Action: 'kms:*' }),
    BypassPolicyLockoutSafetyCheck: true,
  })
  await refused(encrypt(a.kms, one.arn), /because no identity-based policy allows/)
  await encrypt(b.kms, one.arn)
  await refused(encrypt(c.kms, one.arn), /with an explicit deny in an identity-based policy/)
  await encrypt(a.kms, two.arn)
  await refused(encrypt(b.kms, two.arn), /because no resource-based policy allows/)
  await refused(encrypt(c.kms, two.arn), /with an explicit deny in an identity-based policy/)
})

test('2015: the sample of PutKeyPolicy, a bare name and no way back, is refused as today', async (t) => {
  const { root } = await openIdentities(t)
  const { keyId: KeyId } = await makeKey(root.kms)
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'Allow use of the key',
        Effect: 'Allow',
        Principal: 'arn:aws:iam::111122223333:user/KMSUser',
        Action: ['kms:Encrypt', 'kms:Decrypt'],
        Resource: '*',
      },
    ],
  })
  const put = root.kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy }))
  await denied(put, 'MalformedPolicyDocumentException', 400, /./)
})

test('`kms:ReEncrypt` without a star grants nothing', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const { ReEncryptCommand } = await import('@aws-sdk/client-kms')
  const { keyId: KeyId } = await makeKey(root.kms)
  const { CiphertextBlob } = await root.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const reEncrypt = new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: KeyId })
  const bare = await newUser('bare', { Action: 'kms:ReEncrypt' })
  await refused(bare.kms.send(reEncrypt), /does not exist|not authorized/)
  const starred = await newUser('starred', { Action: 'kms:ReEncrypt*' })
  await starred.kms.send(reEncrypt)
})

const linked = `arn:aws:iam::${accountId}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`
const use = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncrypt*',
  'kms:GenerateDataKey*',
  'kms:DescribeKey',
]

test('Auto Scaling: key policy sections for the service-linked role of the own account', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const sections = [
    {
      Sid: 'Allow service-linked role use of the customer managed key',
      Principal: { AWS: [linked] },
      Action: use,
    },
    {
      Sid: 'Allow attachment of persistent resources',
      Principal: { AWS: [linked] },
      Action: ['kms:CreateGrant'],
      // A JSON boolean, as the guide has it.
      Condition: { Bool: { 'kms:GrantIsForAWSResource': true } },
    },
  ]
  const Policy = policy(delegating, ...sections)
  const early = makeKey(root.kms, { Policy })
  await denied(early, 'MalformedPolicyDocumentException', 400, /invalid principals/)
  const AWSServiceName = 'autoscaling.amazonaws.com'
  await root.iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName }))
  const { arn: KeyId } = await makeKey(root.kms, { Policy })
  // A direct caller's grant is for no resource of AWS.
  const user = await newUser('direct', {
    Action: 'kms:CreateGrant',
    Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
  })
  const grant = { KeyId, GranteePrincipal: linked, Operations: ['Encrypt' as const] }
  await refused(user.kms.send(new CreateGrantCommand(grant)))
  await root.kms.send(new CreateGrantCommand(grant))
})

test('Auto Scaling: cross-account access, by key policy, identity policy and a grant', async (t) => {
  const { as, newUser, root, server } = await openIdentities(t)
  const made = (await callOperator(server.directory, 'CreateAccount', {
    accountId: '444455556666',
  })) as CreatedAccount
  const owner = as({ accessKeyId: made.accessKeyId, secretAccessKey: made.secretAccessKey })
  const external = { Principal: { AWS: [account] } }
  const { arn: KeyId } = await makeKey(owner.kms, {
    Policy: policy(
      { Principal: { AWS: 'arn:aws:iam::444455556666:root' }, Action: 'kms:*' },
      { ...external, Sid: 'Allow external account use of the key', Action: use },
      { ...external, Sid: 'Allow attachment of persistent resources', Action: ['kms:CreateGrant'] },
    ),
  })
  await root.iam.send(
    new CreateServiceLinkedRoleCommand({ AWSServiceName: 'autoscaling.amazonaws.com' }),
  )
  const may = await newUser('scaler', { Action: 'kms:CreateGrant', Resource: KeyId })
  const mayNot = await newUser('nobody')
  const command = new CreateGrantCommand({
    KeyId,
    GranteePrincipal: linked,
    Operations: [
      'Encrypt',
      'Decrypt',
      'ReEncryptFrom',
      'ReEncryptTo',
      'GenerateDataKey',
      'GenerateDataKeyWithoutPlaintext',
      'DescribeKey',
      'CreateGrant',
    ],
  })
  await refused(mayNot.kms.send(command))
  await may.kms.send(command)
  await refused(encrypt(may.kms, KeyId))
  const { Grants } = await owner.kms.send(new ListGrantsCommand({ KeyId }))
  assert.deepEqual(
    Grants?.map(({ GranteePrincipal, IssuingAccount }) => [GranteePrincipal, IssuingAccount]),
    [[linked, account]],
  )
})
