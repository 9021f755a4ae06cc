/** What lets infrastructure of a service in, and what it can pass on: grants alone, inside its service. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateGrantCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  ListGrantsCommand,
  PutKeyPolicyCommand,
  RevokeGrantCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { accountId, region } from '../harness.ts'
import { denied } from './identities.ts'
import { makeKey } from './sdk.ts'
import { openServices } from './services.ts'
import { callOperator } from '../../src/operator/client.ts'
import { send } from './signed-http.ts'

const principalOf = (instance: string, service = 'ec2'): string =>
  `${accountId}:aws:${service}-infrastructure:${instance}`

const everyone = ['*', { AWS: '*' }, { AWS: accountId }, { AWS: `arn:aws:iam::${accountId}:root` }]
const conditions = [
  {},
  { StringEquals: { 'kms:CallerAccount': accountId } },
  { StringLike: { 'aws:PrincipalArn': `arn:aws:iam::${accountId}:role/*` } },
  { StringEquals: { 'aws:PrincipalType': 'AssumedRole' } },
]

test('no Allow of a key policy lets infrastructure in, whatever its principal and condition', async (t) => {
  const services = await openServices(t)
  const { root } = services
  const { arn: KeyId } = await makeKey(root.kms)
  const alice = await services.newUser('alice', { Action: 'kms:*' })
  const ec2 = await services.register('ec2.amazonaws.com')
  const host = await ec2.infrastructure(accountId, 'i-1')
  const put = (...Statement: readonly object[]): Promise<unknown> => {
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    return root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
  }
  const statement = { Effect: 'Allow', Action: 'kms:*', Resource: '*' }
  const admin = { ...statement, Principal: { AWS: `arn:aws:iam::${accountId}:root` } }
  const { CiphertextBlob } = await root.kms.send(
    new EncryptCommand({ KeyId, Plaintext: Buffer.from('a') }),
  )
  const shut = async (kms: KMSClient): Promise<void> => {
    for (const call of [
      (): Promise<unknown> => kms.send(new DecryptCommand({ KeyId, CiphertextBlob })),
      (): Promise<unknown> => kms.send(new DescribeKeyCommand({ KeyId })),
      (): Promise<unknown> =>
        kms.send(
          new CreateGrantCommand({
            KeyId,
            GranteePrincipal: principalOf('i-1'),
            Operations: ['Decrypt'],
          }),
        ),
    ]) {
      await denied(call(), 'AccessDeniedException', 400, /i-1 is not authorized to perform: kms:/)
    }
  }
  for (const Principal of everyone) {
    for (const Condition of conditions) {
      await put(admin, { ...statement, Principal, Condition })
      await shut(host)
    }
    await alice.kms.send(new DecryptCommand({ KeyId, CiphertextBlob }))
  }
  // A grant to the account is for its users and roles; one to the session's own ARN cannot be made.
  const toRoot = `arn:aws:iam::${accountId}:root`
  const given = { KeyId, GranteePrincipal: toRoot, Operations: ['Decrypt' as const] }
  await root.kms.send(new CreateGrantCommand(given))
  await shut(host)
  // A grant lets it in, and a Deny for everybody keeps it out again.
  const forAlice = await ec2.kmsFor(alice)
  const grant = { KeyId, GranteePrincipal: principalOf('i-1'), Operations: ['Decrypt' as const] }
  await forAlice.send(new CreateGrantCommand(grant))
  await host.send(new DecryptCommand({ KeyId, CiphertextBlob }))
  for (const Principal of everyone) {
    await put(admin, { Effect: 'Deny', Action: 'kms:Decrypt', Resource: '*', Principal })
    await denied(
      host.send(new DecryptCommand({ KeyId, CiphertextBlob })),
      'AccessDeniedException',
      400,
      /explicit deny in a resource-based policy/,
    )
  }
})

test('what infrastructure grants stays inside its service', async (t) => {
  const services = await openServices(t)
  const { root } = services
  const { arn: KeyId } = await makeKey(root.kms)
  const alice = await services.newUser('alice', { Action: 'kms:*' })
  const other = { accountId: '444455556666' }
  await callOperator(services.server.directory, 'CreateAccount', other)
  const ec2 = await services.register('ec2.amazonaws.com')
  await services.register('s3.amazonaws.com')
  const host = await ec2.infrastructure(accountId, 'i-1')
  const Operations = ['CreateGrant' as const, 'DescribeKey' as const]
  const forAlice = await ec2.kmsFor(alice)
  const { GrantId } = await forAlice.send(
    new CreateGrantCommand({ KeyId, GranteePrincipal: principalOf('i-1'), Operations }),
  )
  const pass = (input: object): Promise<unknown> =>
    host.send(new CreateGrantCommand({ KeyId, Operations: ['DescribeKey'], ...input }))
  const outside = [
    alice.arn,
    `arn:aws:iam::${accountId}:root`,
    `arn:aws:iam::${other.accountId}:root`,
    's3.amazonaws.com',
    'ec2.amazonaws.com',
  ]
  for (const GranteePrincipal of outside) {
    for (const DryRun of [false, true]) {
      const made = pass({ GranteePrincipal, DryRun })
      await denied(made, 'AccessDeniedException', 400, /infrastructure of this service/)
    }
  }
  await denied(
    pass({
      GranteeServicePrincipal: 's3.amazonaws.com',
      RetiringServicePrincipal: 's3.amazonaws.com',
      Constraints: { SourceArn: 'arn:aws:s3:us-west-2:111122223333:bucket' },
    }),
    'AccessDeniedException',
    400,
    /infrastructure of this service/,
  )
  for (const GranteePrincipal of [
    principalOf('i-2', 's3'),
    `${other.accountId}:aws:ec2-infrastructure:i-2`,
  ]) {
    const refused = 'GranteePrincipal does not refer to a valid principal.'
    await denied(pass({ GranteePrincipal }), 'InvalidArnException', 400, refused)
  }
  await pass({ GranteePrincipal: principalOf('i-2') })
  const second = await ec2.infrastructure(accountId, 'i-2')
  await second.send(new DescribeKeyCommand({ KeyId }))
  const { Grants = [] } = await root.kms.send(new ListGrantsCommand({ KeyId }))
  const grantees = Grants.map(({ GranteePrincipal = '' }) => GranteePrincipal).toSorted()
  assert.deepEqual(grantees, [principalOf('i-1'), principalOf('i-2')])
  await root.kms.send(new RevokeGrantCommand({ KeyId, GrantId }))
  await denied(
    pass({ GranteePrincipal: principalOf('i-3') }),
    'AccessDeniedException',
    400,
    /kms:CreateGrant/,
  )
})

test('a call without a signature is refused whatever a key policy allows', async (t) => {
  const { root, server } = await openServices(t)
  const { arn: KeyId } = await makeKey(root.kms)
  const Statement = [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }]
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
  await root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
  const headers = {
    host: `kms.${region}.amazonaws.com`,
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'TrentService.DescribeKey',
  }
  const { status, text } = await send(
    { port: server.port },
    {
      method: 'POST',
      target: '/',
      rawHeaders: Object.entries(headers).flat(),
      body: Buffer.from(JSON.stringify({ KeyId })),
    },
  )
  assert.equal(status, 400)
  assert.match(text, /MissingAuthenticationTokenException/)
})
