/** A service in its own name: what key policies and grants give it, for the resource that it says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IAMClient, ListUsersCommand } from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  ListKeysCommand,
  ListRetirableGrantsCommand,
  PutKeyPolicyCommand,
  RetireGrantCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { accountId, region } from '../harness.ts'
import { denied, type Signed } from './identities.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'
import { openServices, sending } from './services.ts'

const Plaintext = Buffer.from('x')
const trail = `arn:aws:cloudtrail:${region}:${accountId}:trail/all`
const other = `arn:aws:cloudtrail:${region}:${accountId}:trail/other`

async function setPolicy(
  root: Signed,
  KeyId: string,
  ...statements: readonly object[]
): Promise<void> {
  const Statement = [{ Principal: { AWS: accountId }, Action: 'kms:*' }, ...statements].map(
    (statement) => ({ Effect: 'Allow', Resource: '*', ...statement }),
  )
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
  await root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
}

const may = (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => true,
    () => false,
  )

test('a key policy gives a service what it may, for the resource that the service says', async (t) => {
  const services = await openServices(t)
  const { root } = services
  const { arn: KeyId, keyId } = await makeKey(root.kms)
  const cloudtrail = await services.register('cloudtrail.amazonaws.com')
  const backup = await services.register('backup.amazonaws.com')
  const source = { 'x-amz-source-arn': trail, 'x-amz-source-account': accountId }
  const encrypt = (kms: KMSClient): Promise<boolean> =>
    may(kms.send(new EncryptCommand({ KeyId, Plaintext })))
  const all = (): Promise<readonly boolean[]> =>
    Promise.all([
      encrypt(cloudtrail.kmsWith({})),
      encrypt(cloudtrail.kmsWith(source)),
      encrypt(cloudtrail.kmsWith({ ...source, 'x-amz-source-arn': other })),
      encrypt(cloudtrail.kmsWith({ 'x-amz-source-org-id': 'o-abcdefghij' })),
      encrypt(backup.kmsWith(source)),
    ])
  const none = [false, false, false, false, false]
  assert.deepEqual(await all(), none)
  const by = (Service: string, Condition?: object): object => ({
    Principal: { Service },
    Action: 'kms:Encrypt',
    ...(Condition && { Condition }),
  })
  const name = 'cloudtrail.amazonaws.com'
  const cases: readonly (readonly [object, readonly boolean[]])[] = [
    [by(name), [true, true, true, true, false]],
    [by('cloudtrail.us-west-2.amazonaws.com'), [true, true, true, true, false]],
    [by('cloudtrail.eu-west-1.amazonaws.com'), none],
    [by(name, { StringEquals: { 'aws:SourceArn': trail } }), [false, true, false, false, false]],
    [
      by(name, { StringEquals: { 'aws:SourceAccount': accountId } }),
      [false, true, true, false, false],
    ],
    [
      by(name, { StringEquals: { 'aws:SourceOrgID': 'o-abcdefghij' } }),
      [false, false, false, true, false],
    ],
    [by(name, { Bool: { 'aws:PrincipalIsAWSService': 'true' } }), [true, true, true, true, false]],
    [by(name, { Bool: { 'aws:ViaAWSService': 'true' } }), none],
    [by(name, { Null: { 'aws:PrincipalArn': 'false' } }), none],
    [
      {
        Principal: '*',
        Action: 'kms:Encrypt',
        Condition: { StringEquals: { 'aws:PrincipalServiceName': name } },
      },
      [true, true, true, true, false],
    ],
    // Its account may not be taken for the service's.
    [{ Principal: { AWS: accountId }, Action: '*' }, none],
  ]
  for (const [statement, expected] of cases) {
    await setPolicy(root, KeyId, statement)
    assert.deepEqual(await all(), expected, JSON.stringify(statement))
  }
  await setPolicy(root, KeyId, by(name), { ...by(name), Effect: 'Deny' })
  assert.deepEqual(await all(), none)
  // A service has no account in which a bare id could be one of its keys.
  const bare = cloudtrail.kmsWith({}).send(new EncryptCommand({ KeyId: keyId, Plaintext }))
  await denied(bare, 'NotFoundException', 400, /does not exist$/)
})

test('what others say of a source is not heard, and what a service says is checked', async (t) => {
  const services = await openServices(t)
  const { root } = services
  const alice = await services.newUser('alice')
  const { arn: KeyId } = await makeKey(root.kms)
  const cloudtrail = await services.register('cloudtrail.amazonaws.com')
  await setPolicy(root, KeyId, {
    Principal: '*',
    Action: 'kms:Encrypt',
    Condition: { StringEquals: { 'aws:SourceArn': trail } },
  })
  const source = { 'x-amz-source-arn': trail }
  const command = new EncryptCommand({ KeyId, Plaintext })
  await cloudtrail.kmsWith(source).send(command)
  const byAlice = sending(source, services.as(alice.credentials).kms).send(command)
  await denied(byAlice, 'AccessDeniedException', 400, /kms:Encrypt/)
  for (const headers of [
    { 'x-amz-source-arn': 'no arn' },
    { 'x-amz-source-arn': `${trail}${'a'.repeat(512)}` },
    { 'x-amz-source-account': '1' },
    { 'x-amz-source-org-id': 'o-1' },
  ]) {
    const call = cloudtrail.kmsWith(headers).send(command)
    await denied(call, 'ValidationException', 400, /^`X-Amz-Source-/)
  }
})

test('a service reads and uses keys, and changes none; it has nothing of IAM and STS', async (t) => {
  const services = await openServices(t)
  const { root, server } = services
  const { arn: KeyId } = await makeKey(root.kms)
  const service = await services.register('dynamodb.amazonaws.com')
  await setPolicy(root, KeyId, { Principal: { Service: service.name }, Action: 'kms:*' })
  const kms = service.kmsWith({})
  await kms.send(new DescribeKeyCommand({ KeyId }))
  await kms.send(new GetKeyPolicyCommand({ KeyId }))
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await kms.send(new DecryptCommand({ CiphertextBlob }))
  for (const call of [
    () => kms.send(new PutKeyPolicyCommand({ KeyId, Policy: '{}' })),
    () => kms.send(new DisableKeyCommand({ KeyId })),
    () => kms.send(new CreateKeyCommand({})),
    () => kms.send(new ListKeysCommand({})),
  ]) {
    await denied(call(), 'AccessDeniedException', 400, /^User: dynamodb\.amazonaws\.com is not/)
  }
  const { accessKeyId, secretAccessKey } = service
  const common = { endpoint: server.url, credentials: { accessKeyId, secretAccessKey }, region }
  const [iam, sts] = [new IAMClient(common), new STSClient(common)]
  const message = /^Cannot call \w+ with the credentials of a service$/
  await denied(iam.send(new ListUsersCommand({})), 'AccessDenied', 403, message)
  await denied(sts.send(new GetCallerIdentityCommand({})), 'AccessDenied', 403, message)
  iam.destroy()
  sts.destroy()
  const records = await recordsOf(server.directory)
  const used = records.filter(({ eventName }) => eventName === 'Decrypt')
  assert.equal(used.length, 1)
  const [decrypt] = used
  assert.deepEqual(decrypt?.userIdentity, { type: 'AWSService', invokedBy: service.name })
  assert.deepEqual(
    [decrypt?.sourceIPAddress, decrypt?.userAgent, decrypt?.recipientAccountId],
    [service.name, service.name, accountId],
  )
})

test('grants to a service hold for their resource, and are retired by whom they name', async (t) => {
  const services = await openServices(t)
  const { root } = services
  const { arn: KeyId } = await makeKey(root.kms)
  const dynamodb = await services.register('dynamodb.amazonaws.com')
  const s3 = await services.register('s3.amazonaws.com')
  const SourceArn = `arn:aws:dynamodb:${region}:${accountId}:table/t`
  const regional = 'dynamodb.us-west-2.amazonaws.com'
  const { GrantId } = await root.kms.send(
    new CreateGrantCommand({
      KeyId,
      GranteeServicePrincipal: regional,
      RetiringServicePrincipal: dynamodb.name,
      Operations: ['GenerateDataKey', 'DescribeKey'],
      Constraints: { SourceArn, EncryptionContextSubset: { table: 't' } },
    }),
  )
  const EncryptionContext = { table: 't', more: 'x' }
  const make = (kms: KMSClient, context = EncryptionContext): Promise<boolean> =>
    may(
      kms.send(
        new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext: context }),
      ),
    )
  const source = { 'x-amz-source-arn': SourceArn }
  const forTable = dynamodb.kmsWith(source)
  assert.equal(await make(forTable), true)
  await forTable.send(new DescribeKeyCommand({ KeyId }))
  assert.equal(await make(forTable, { table: 'u', more: 'x' }), false)
  assert.equal(await make(dynamodb.kmsWith({})), false)
  assert.equal(await make(dynamodb.kmsWith({ 'x-amz-source-arn': `${SourceArn}2` })), false)
  assert.equal(await make(s3.kmsWith(source)), false)
  assert.equal(await may(forTable.send(new EncryptCommand({ KeyId, Plaintext }))), false)
  const retirable = await root.kms.send(
    new ListRetirableGrantsCommand({ RetiringServicePrincipal: dynamodb.name }),
  )
  assert.deepEqual(
    retirable.Grants?.map((grant) => [
      grant.GranteeServicePrincipal,
      grant.RetiringServicePrincipal,
    ]),
    [[regional, dynamodb.name]],
  )
  const retire = new RetireGrantCommand({ KeyId, GrantId })
  assert.equal(await may(s3.kmsWith({}).send(retire)), false)
  await dynamodb.kmsWith({}).send(retire)
  assert.equal(await make(forTable), false)
  // A grantee that is a service needs its resource, and somebody to retire the grant.
  const bad = new CreateGrantCommand({
    KeyId,
    GranteeServicePrincipal: dynamodb.name,
    RetiringServicePrincipal: dynamodb.name,
    Operations: ['Decrypt'],
  })
  await denied(root.kms.send(bad), 'ValidationException', 400, /needs a `SourceArn`/)
})
