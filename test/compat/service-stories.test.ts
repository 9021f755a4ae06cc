/**
 * What AWS's developer guide tells of services: how EC2 uses a key for an instance's volume, and S3 for an
 * object, call by call, with the records that it prints.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import {
  CreateGrantCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  ListGrantsCommand,
  ListKeysCommand,
  RetireGrantCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { accountId, region } from '../harness.ts'
import { credentialsOf, denied } from './identities.ts'
import { recordsOf, type AuditRecord } from './records.ts'
import { makeKey } from './sdk.ts'
import { openServices } from './services.ts'

const instance = 'i-81e2f56c'
const EncryptionContext = { 'aws:ebs:id': 'vol-f67bafb2' }
const GranteePrincipal = `${accountId}:aws:ec2-infrastructure:${instance}`
const sessionArn = `arn:aws:sts::${accountId}:assumed-role/aws:ec2-infrastructure/${instance}`
const ebs = 'alias/aws/ebs'

const only = (records: readonly AuditRecord[], name: string): AuditRecord => {
  const [record, ...more] = records.filter(
    ({ eventName, errorCode }) => eventName === name && errorCode === undefined,
  )
  assert(record)
  assert.deepEqual(more, [], name)
  return record
}

test('EC2 makes an instance’s volume key, grants it to the instance’s host, and nobody else opens it', async (t) => {
  const services = await openServices(t)
  const { root, server } = services
  const alice = await services.newUser('Alice', { Action: ['ec2:RunInstances', 'kms:*'] })
  const ec2 = await services.register('ec2.amazonaws.com')
  const s3 = await services.register('s3.amazonaws.com')
  // Alice runs an instance: her request, as EC2 takes it, is what EC2 proves.
  const body = new URLSearchParams({
    Action: 'RunInstances',
    Version: '2016-11-15',
    ImageId: 'ami-b66ed3de',
    MinCount: '1',
    MaxCount: '1',
    'BlockDeviceMapping.1.Ebs.Encrypted': 'true',
  }).toString()
  const run = await ec2.sent(alice, { method: 'POST', path: '/', body })
  assert.equal(run.payloadHash, createHash('sha256').update(body).digest('hex'))
  const { forwardAccessSession } = await ec2.prove(run)
  const forAlice = ec2.kmsWith({ 'x-amz-forward-access-session': forwardAccessSession })

  const { CiphertextBlob, KeyId } = await forAlice.send(
    new GenerateDataKeyWithoutPlaintextCommand({
      KeyId: ebs,
      NumberOfBytes: 64,
      EncryptionContext,
    }),
  )
  const { GrantId } = await forAlice.send(
    new CreateGrantCommand({
      KeyId,
      GranteePrincipal,
      RetiringServicePrincipal: 'ec2.us-west-2.amazonaws.com',
      Operations: ['Decrypt'],
      Constraints: { EncryptionContextSubset: EncryptionContext },
    }),
  )
  const host = await ec2.infrastructure(accountId, instance)
  const decrypt = new DecryptCommand({ CiphertextBlob, EncryptionContext })
  const { Plaintext } = await host.send(decrypt)
  assert.equal(Plaintext?.length, 64)

  // Nobody else: not another host, not with another context, no user, no other service.
  const hidden = /^The ciphertext refers to a customer master key that does not exist/
  const closed = (kms: KMSClient, command = decrypt): Promise<void> =>
    denied(kms.send(command), 'AccessDeniedException', 400, hidden)
  await closed(await ec2.infrastructure(accountId, 'i-00000000'))
  await closed(await s3.infrastructure(accountId, instance))
  await closed(ec2.kmsWith({}))
  const named = /^User: arn:\S+ is not authorized to perform: kms:Decrypt on resource: arn:/
  for (const kms of [root.kms, alice.kms, await s3.kmsFor(alice)]) {
    await denied(kms.send(decrypt), 'AccessDeniedException', 400, named)
  }
  const elsewhere = { EncryptionContext: { 'aws:ebs:id': 'vol-00000000' } }
  await closed(host, new DecryptCommand({ CiphertextBlob, ...elsewhere }))
  await denied(
    host.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), EncryptionContext })),
    'AccessDeniedException',
    400,
    /^User: arn:aws:sts::\d+:assumed-role\/aws:ec2-infrastructure\/i-81e2f56c is not authorized/,
  )
  await denied(host.send(new ListKeysCommand({})), 'AccessDeniedException', 400, /^Cannot call/)

  const { Grants } = await root.kms.send(new ListGrantsCommand({ KeyId }))
  assert.deepEqual(
    Grants?.map((grant) => [
      grant.GranteePrincipal,
      grant.RetiringServicePrincipal,
      grant.Operations,
    ]),
    [[GranteePrincipal, 'ec2.us-west-2.amazonaws.com', ['Decrypt']]],
  )
  requireSeedRecords(await recordsOf(server.directory), { KeyId, GrantId, userId: alice.userId })

  // The instance is gone: EC2 retires the grant in its own name.
  await denied(
    s3.kmsWith({}).send(new RetireGrantCommand({ KeyId, GrantId })),
    'AccessDeniedException',
    400,
    /kms:RetireGrant/,
  )
  await ec2.kmsWith({}).send(new RetireGrantCommand({ KeyId, GrantId }))
  await closed(host)
})

/** The records of the guide, where they say `AWS Internal` in the words of today: the service's name. */
function requireSeedRecords(
  records: readonly AuditRecord[],
  of: {
    readonly KeyId: string | undefined
    readonly GrantId: string | undefined
    readonly userId: string
  },
): void {
  const byAlice = {
    type: 'IAMUser',
    principalId: of.userId,
    arn: `arn:aws:iam::${accountId}:user/Alice`,
    accountId,
    userName: 'Alice',
    invokedBy: 'ec2.amazonaws.com',
  }
  const told = ({ userIdentity, ...record }: AuditRecord): object => {
    const { accessKeyId, sessionContext, ...identity } = userIdentity
    assert(accessKeyId && sessionContext)
    const { requestParameters, responseElements, readOnly, resources } = record
    const { sourceIPAddress, userAgent, eventSource, awsRegion } = record
    const called = { sourceIPAddress, userAgent, eventSource, awsRegion }
    return { identity, requestParameters, responseElements, readOnly, resources, ...called }
  }
  const called = { eventSource: 'kms.amazonaws.com', awsRegion: region }
  const byService = {
    ...called,
    sourceIPAddress: 'ec2.amazonaws.com',
    userAgent: 'ec2.amazonaws.com',
  }
  const resources = [{ accountId, type: 'AWS::KMS::Key', ARN: of.KeyId }]
  assert.deepEqual(told(only(records, 'GenerateDataKeyWithoutPlaintext')), {
    identity: byAlice,
    requestParameters: {
      encryptionContext: EncryptionContext,
      numberOfBytes: 64,
      keyId: 'alias/aws/ebs',
    },
    responseElements: null,
    readOnly: true,
    resources,
    ...byService,
  })
  assert.deepEqual(told(only(records, 'CreateGrant')), {
    identity: byAlice,
    requestParameters: {
      constraints: { encryptionContextSubset: EncryptionContext },
      granteePrincipal: GranteePrincipal,
      retiringServicePrincipal: 'ec2.us-west-2.amazonaws.com',
      operations: ['Decrypt'],
      keyId: of.KeyId,
    },
    responseElements: { grantId: of.GrantId, keyId: of.KeyId },
    readOnly: false,
    resources,
    ...byService,
  })
  const decrypt = only(records, 'Decrypt')
  const { sessionContext, accessKeyId, ...identity } = decrypt.userIdentity
  assert(accessKeyId)
  assert.deepEqual(identity, {
    type: 'AssumedRole',
    principalId: GranteePrincipal,
    arn: sessionArn,
    accountId,
  })
  const { sessionIssuer } = sessionContext as { sessionIssuer: unknown }
  assert.deepEqual(sessionIssuer, {
    type: 'Role',
    principalId: `${accountId}:aws:ec2-infrastructure`,
    arn: `arn:aws:iam::${accountId}:role/aws:ec2-infrastructure`,
    accountId,
    userName: 'aws:ec2-infrastructure',
  })
  assert.equal(decrypt.sourceIPAddress, '127.0.0.1')
  assert.deepEqual(decrypt.requestParameters?.['encryptionContext'], EncryptionContext)
  assert.deepEqual(decrypt.resources, resources)
}

test('S3 gets a data key for an object and opens it again, as the role that asks for the object', async (t) => {
  const services = await openServices(t)
  const { root, server } = services
  const { arn: KeyId } = await makeKey(root.kms)
  const s3 = await services.register('s3.amazonaws.com')
  const role = await services.newRole(
    'Admins',
    { Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' },
    { Action: 'kms:*' },
  )
  const user = await services.newUser('someone', { Action: 'sts:AssumeRole' })
  const assume = { RoleArn: role.arn, RoleSessionName: 'example-user' }
  const { Credentials } = await user.sts.send(new AssumeRoleCommand(assume))
  const admin = { credentials: credentialsOf(Credentials) }
  const context = { 'aws:s3:arn': 'arn:aws:s3:::example_bucket/example_object' }
  const path = '/example_bucket/example_object'
  const put = await s3.kmsFor(admin, { method: 'PUT', path })
  const { CiphertextBlob } = await put.send(
    new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext: context }),
  )
  const get = await s3.kmsFor(admin, { method: 'GET', path, body: '' })
  await get.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context }))
  const records = await recordsOf(server.directory)
  for (const [name, parameters] of [
    ['GenerateDataKey', { encryptionContext: context, keySpec: 'AES_256', keyId: KeyId }],
    ['Decrypt', { encryptionContext: context, encryptionAlgorithm: 'SYMMETRIC_DEFAULT' }],
  ] as const) {
    const record = only(records, name)
    const { sessionContext, ...identity } = record.userIdentity
    assert.deepEqual(identity, {
      type: 'AssumedRole',
      principalId: `${role.roleId}:example-user`,
      arn: `arn:aws:sts::${accountId}:assumed-role/Admins/example-user`,
      accountId,
      accessKeyId: admin.credentials.accessKeyId,
      invokedBy: 's3.amazonaws.com',
    })
    const { sessionIssuer } = sessionContext as { sessionIssuer: { readonly arn: string } }
    assert.equal(sessionIssuer.arn, role.arn)
    assert.deepEqual(
      [record.sourceIPAddress, record.userAgent, record.readOnly, record.requestParameters],
      ['s3.amazonaws.com', 's3.amazonaws.com', true, parameters],
    )
    assert.equal(record.resources[0]?.['ARN'], KeyId)
  }
})
