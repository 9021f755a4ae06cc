/** Forward access sessions: a service calls for a user who asked it to, and not one step further. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PutUserPermissionsBoundaryCommand, CreatePolicyCommand } from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { accountId } from '../harness.ts'
import { credentialsOf, denied, documentOf } from './identities.ts'
import { recordTexts, recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'
import { openServices } from './services.ts'

const Plaintext = Buffer.from('x')

const keyPolicy = (...statements: readonly object[]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Principal: { AWS: accountId }, Action: 'kms:*' }, ...statements].map(
      (statement) => ({ Effect: 'Allow', Resource: '*', ...statement }),
    ),
  })

test('a service that proves a user’s request uses keys as that user', async (t) => {
  const services = await openServices(t)
  const alice = await services.newUser('alice', { Action: 'kms:*' })
  const bob = await services.newUser('bob')
  const { arn: KeyId } = await makeKey(services.root.kms)
  const s3 = await services.register('s3.amazonaws.com', '*.s3.example.org')
  const path = '/a%20b/../c//%D1%84%2A'
  const session = await s3.prove(await s3.sent(alice, { path, query: { versionId: '1 2' } }))
  const { forwardAccessSession, expiration, ...told } = session
  assert.deepEqual(told, {
    arn: alice.arn,
    accountId,
    userId: alice.userId,
    calledVia: ['s3.amazonaws.com'],
  })
  const left = Date.parse(expiration) - Date.now()
  assert(left > 890_000 && left <= 900_000)
  const kms = s3.kmsWith({ 'x-amz-forward-access-session': forwardAccessSession })
  const made = await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))
  const opened = await kms.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob }))
  assert.deepEqual(opened.Plaintext, made.Plaintext)
  // Bob may nothing, and so may S3 for him.
  const forBob = await s3.kmsFor(bob)
  await denied(
    forBob.send(new EncryptCommand({ KeyId, Plaintext })),
    'AccessDeniedException',
    400,
    `User: ${bob.arn} is not authorized to perform: kms:Encrypt on resource: ${KeyId} because no ` +
      'identity-based policy allows the kms:Encrypt action',
  )
  // Without a user S3 is only S3.
  await denied(
    s3.kmsWith({}).send(new EncryptCommand({ KeyId, Plaintext })),
    'AccessDeniedException',
    400,
    /^User: s3\.amazonaws\.com is not authorized to perform: kms:Encrypt on this resource because/,
  )
})

test('payloads that S3 does not sign whole, and presigned requests, are proved as S3 takes them', async (t) => {
  const services = await openServices(t)
  const alice = await services.newUser('alice', { Action: 'kms:*' })
  const s3 = await services.register('s3.amazonaws.com', 's3.local:9000')
  const ec2 = await services.register('ec2.amazonaws.com')
  for (const word of [
    'UNSIGNED-PAYLOAD',
    'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  ]) {
    const proof = await s3.sent(alice, { headers: { 'x-amz-content-sha256': word } })
    await s3.prove({ ...proof, payloadHash: word })
  }
  const presigned = await s3.sent(alice, { form: 'presigned', method: 'GET', body: '' })
  assert.match(presigned.query ?? '', /X-Amz-Signature=/)
  await s3.prove(presigned)
  const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
  const unsigned = await ec2.sent(alice, { headers })
  const answer = await ec2.post('/_trent/fas', { ...unsigned, payloadHash: 'UNSIGNED-PAYLOAD' })
  assert.equal(answer.status, 400)
  assert.match(answer.text, /not a SHA-256 in lower-case hex/)
})

test('a session’s policy, a boundary and the session’s end are the forwarded caller’s too', async (t) => {
  const services = await openServices(t)
  const { root } = services
  const carol = await services.newUser('carol', { Action: ['kms:*', 'sts:AssumeRole'] })
  const { arn: KeyId } = await makeKey(root.kms)
  const s3 = await services.register('s3.amazonaws.com')
  const { CiphertextBlob } = await root.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const role = await services.newRole(
    'worker',
    { Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' },
    { Action: 'kms:*' },
  )
  const { Credentials } = await carol.sts.send(
    new AssumeRoleCommand({
      RoleArn: role.arn,
      RoleSessionName: 'job',
      DurationSeconds: 900,
      Policy: documentOf({ Action: 'kms:Encrypt' }),
    }),
  )
  const worker = { credentials: credentialsOf(Credentials) }
  const session = await s3.prove(await s3.sent(worker))
  assert.equal(session.arn, `arn:aws:sts::${accountId}:assumed-role/worker/job`)
  assert(Date.parse(session.expiration) <= (Credentials?.Expiration?.getTime() ?? 0))
  const kms = s3.kmsWith({ 'x-amz-forward-access-session': session.forwardAccessSession })
  await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const decrypt = (): Promise<unknown> => kms.send(new DecryptCommand({ CiphertextBlob, KeyId }))
  await denied(decrypt(), 'AccessDeniedException', 400, /no session policy allows the kms:Decrypt/)
  // A boundary that comes while the session lives holds at once.
  const forCarol = await s3.kmsFor(carol)
  await forCarol.send(new DecryptCommand({ CiphertextBlob, KeyId }))
  const PolicyDocument = documentOf({ Action: 'kms:Encrypt' })
  const { Policy } = await root.iam.send(
    new CreatePolicyCommand({ PolicyName: 'bound', PolicyDocument }),
  )
  await root.iam.send(
    new PutUserPermissionsBoundaryCommand({ UserName: 'carol', PermissionsBoundary: Policy?.Arn }),
  )
  await denied(
    forCarol.send(new DecryptCommand({ CiphertextBlob, KeyId })),
    'AccessDeniedException',
    400,
    /no permissions boundary allows the kms:Decrypt/,
  )
})

test('policies tell which service calls, and whether one does', async (t) => {
  const services = await openServices(t)
  const { root } = services
  const alice = await services.newUser('alice')
  const { arn: KeyId } = await makeKey(root.kms)
  const s3 = await services.register('s3.amazonaws.com')
  const athena = await services.register('athena.amazonaws.com')
  const direct = alice.kms
  const viaS3 = await s3.kmsFor(alice)
  const viaAthena = await athena.kmsFor(alice)
  const describe = new DescribeKeyCommand({ KeyId })
  const asks = [
    [{ StringEquals: { 'kms:ViaService': 's3.us-west-2.amazonaws.com' } }, [false, true, false]],
    [
      { 'ForAnyValue:StringEquals': { 'aws:CalledVia': ['s3.amazonaws.com'] } },
      [false, true, false],
    ],
    [{ StringEquals: { 'aws:CalledViaFirst': 'athena.amazonaws.com' } }, [false, false, true]],
    [{ StringEquals: { 'aws:CalledViaLast': 'athena.amazonaws.com' } }, [false, false, true]],
    [{ Bool: { 'aws:ViaAWSService': 'true' } }, [false, true, true]],
    [{ Bool: { 'aws:ViaAWSService': 'false' } }, [true, false, false]],
    [{ Bool: { 'aws:PrincipalIsAWSService': 'false' } }, [true, true, true]],
    [{ Null: { 'kms:ViaService': 'true' } }, [true, false, false]],
  ] as const
  for (const [Condition, expected] of asks) {
    const statement = { Principal: { AWS: alice.arn }, Action: 'kms:DescribeKey', Condition }
    await root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy: keyPolicy(statement) }))
    const found = await Promise.all(
      [direct, viaS3, viaAthena].map((kms) =>
        kms.send(describe).then(
          () => true,
          () => false,
        ),
      ),
    )
    assert.deepEqual(found, expected, JSON.stringify(Condition))
  }
  const grants = {
    Principal: { AWS: alice.arn },
    Action: 'kms:CreateGrant',
    Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
  }
  await root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy: keyPolicy(grants) }))
  const Operations = ['Decrypt' as const]
  const grant = new CreateGrantCommand({ KeyId, GranteePrincipal: alice.arn, Operations })
  await viaS3.send(grant)
  await denied(direct.send(grant), 'AccessDeniedException', 400, /kms:CreateGrant/)
})

test('services that call for one another are told in their order, and end with the first session', async (t) => {
  const services = await openServices(t)
  const { root } = services
  const alice = await services.newUser('alice')
  const { arn: KeyId } = await makeKey(root.kms)
  const athena = await services.register('athena.amazonaws.com')
  const s3 = await services.register('s3.amazonaws.com')
  const first = await athena.prove({ ...(await athena.sent(alice)), durationSeconds: 60 })
  const asAthena = {
    credentials: { accessKeyId: athena.accessKeyId, secretAccessKey: athena.secretAccessKey },
  }
  const forwarded = { 'x-amz-forward-access-session': first.forwardAccessSession }
  const second = await s3.prove(await s3.sent(asAthena, { headers: forwarded }))
  assert.deepEqual(second.calledVia, ['athena.amazonaws.com', 's3.amazonaws.com'])
  assert.equal(second.arn, alice.arn)
  assert.equal(second.expiration, first.expiration)
  const kms = s3.kmsWith({ 'x-amz-forward-access-session': second.forwardAccessSession })
  const Condition = {
    StringEquals: {
      'kms:ViaService': 's3.us-west-2.amazonaws.com',
      'aws:CalledViaFirst': 'athena.amazonaws.com',
      'aws:CalledViaLast': 's3.amazonaws.com',
    },
    'ForAllValues:StringEquals': { 'aws:CalledVia': second.calledVia },
  }
  const statement = { Principal: { AWS: alice.arn }, Action: 'kms:DescribeKey', Condition }
  await root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy: keyPolicy(statement) }))
  await kms.send(new DescribeKeyCommand({ KeyId }))
})

test('records say by whom a user called, and hold neither signature nor session', async (t) => {
  const services = await openServices(t)
  const alice = await services.newUser('alice', { Action: 'kms:*' })
  const { arn: KeyId } = await makeKey(services.root.kms)
  const s3 = await services.register('s3.amazonaws.com')
  const proof = await s3.sent(alice, { path: '/bucket/key', query: { secret: 'of-the-query' } })
  const { forwardAccessSession } = await s3.prove(proof)
  const kms = s3.kmsWith({ 'x-amz-forward-access-session': forwardAccessSession })
  await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const { directory, logged } = services.server
  const records = await recordsOf(directory)
  const encrypt = records.find(({ eventName }) => eventName === 'Encrypt')
  assert(encrypt)
  const { sessionContext, ...identity } = encrypt.userIdentity
  assert.deepEqual(identity, {
    type: 'IAMUser',
    principalId: alice.userId,
    arn: alice.arn,
    accountId,
    accessKeyId: alice.credentials.accessKeyId,
    userName: 'alice',
    invokedBy: 's3.amazonaws.com',
  })
  const { attributes } = sessionContext as { attributes: Record<string, string> }
  assert.equal(attributes['mfaAuthenticated'], 'false')
  assert.deepEqual(
    [encrypt.sourceIPAddress, encrypt.userAgent, encrypt.recipientAccountId],
    ['s3.amazonaws.com', 's3.amazonaws.com', accountId],
  )
  const made = records.find(({ eventName }) => eventName === 'CreateForwardAccessSession')
  assert(made)
  assert.deepEqual(made.userIdentity, { type: 'AWSService', invokedBy: 's3.amazonaws.com' })
  assert.deepEqual(made.requestParameters, { method: 'PUT', path: '/bucket/key' })
  assert.deepEqual(
    [made.responseElements?.['arn'], made.responseElements?.['calledVia']],
    [alice.arn, ['s3.amazonaws.com']],
  )
  assert.equal(made.recipientAccountId, accountId)
  const told = [...(await recordTexts(directory)), ...logged].join('\n')
  const { authorization = '' } = proof.headers
  const [, signature = 'none'] = /Signature=(\w+)/.exec(authorization) ?? []
  for (const secret of [forwardAccessSession, signature, 'of-the-query', s3.secretAccessKey]) {
    assert(!told.includes(secret), secret)
  }
})
