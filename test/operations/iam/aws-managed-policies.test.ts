/** AWS's own managed policies through the official SDK: attached, listed, counted, and never changed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeletePolicyCommand,
  DetachUserPolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  ListAttachedUserPoliciesCommand,
  ListEntitiesForPolicyCommand,
  ListPoliciesCommand,
  type ListPoliciesCommandInput,
  PutUserPermissionsBoundaryCommand,
  SimulatePrincipalPolicyCommand,
  TagPolicyCommand,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, EncryptCommand, ListKeysCommand } from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import {
  credentialsOf,
  denied,
  documentOf,
  openIdentities,
  type Signed,
} from '../../compat/identities.ts'
import { makeKey } from '../../compat/sdk.ts'
import { accountId } from '../../harness.ts'

const awsArn = (name: string): string => `arn:aws:iam::aws:policy/${name}`
const admin = awsArn('AdministratorAccess')
const powerUser = awsArn('AWSKeyManagementServicePowerUser')
const Plaintext = Buffer.from('x')

async function names(by: Signed, input: ListPoliciesCommandInput): Promise<readonly string[]> {
  const listed: string[] = []
  let Marker: string | undefined
  do {
    const page = await by.iam.send(new ListPoliciesCommand({ ...input, Marker, MaxItems: 2 }))
    listed.push(...(page.Policies ?? []).map(({ Arn = '' }) => Arn))
    ;({ Marker } = page)
  } while (Marker !== undefined)
  return listed
}

test('an AWS managed policy gives its permissions to a user until it is detached', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const user = await newUser('ops')
  const { keyId: KeyId } = await makeKey(root.kms)
  const to = { UserName: 'ops', PolicyArn: admin }
  await root.iam.send(new AttachUserPolicyCommand(to))
  await root.iam.send(new AttachUserPolicyCommand(to))
  await user.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const { AttachedPolicies } = await user.iam.send(
    new ListAttachedUserPoliciesCommand({ UserName: 'ops' }),
  )
  assert.deepEqual(AttachedPolicies, [{ PolicyName: 'AdministratorAccess', PolicyArn: admin }])
  const simulated = await root.iam.send(
    new SimulatePrincipalPolicyCommand({
      PolicySourceArn: user.arn,
      ActionNames: ['kms:Encrypt'],
    }),
  )
  const [result] = simulated.EvaluationResults ?? []
  assert.equal(result?.EvalDecision, 'allowed')
  assert.equal(result.MatchedStatements?.[0]?.SourcePolicyType, 'aws-managed')
  await root.iam.send(new DetachUserPolicyCommand(to))
  const message = /no identity-based policy allows/
  const encrypting = user.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await denied(encrypting, 'AccessDeniedException', 400, message)

  const keys = await newUser('keys')
  await root.iam.send(new AttachUserPolicyCommand({ UserName: 'keys', PolicyArn: powerUser }))
  await keys.kms.send(new CreateKeyCommand({ Tags: [{ TagKey: 'a', TagValue: 'b' }] }))
  const using = keys.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await denied(using, 'AccessDeniedException', 400, message)
})

test('an AWS managed policy can be a permissions boundary and a session policy', async (t) => {
  const { as, newRole, newUser, root } = await openIdentities(t)
  const user = await newUser('all', { Action: '*' })
  const { keyId: KeyId } = await makeKey(root.kms)
  const trust = { Effect: 'Allow', Principal: { AWS: user.arn }, Action: 'sts:AssumeRole' }
  const { arn: RoleArn } = await newRole('wide', trust)
  await root.iam.send(new AttachRolePolicyCommand({ RoleName: 'wide', PolicyArn: admin }))
  const assume = { RoleArn, RoleSessionName: 'ci', PolicyArns: [{ arn: powerUser }] }
  const { Credentials } = await user.sts.send(new AssumeRoleCommand(assume))
  const session = as(credentialsOf(Credentials))
  await session.kms.send(new ListKeysCommand({}))
  const encrypting = session.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await denied(encrypting, 'AccessDeniedException', 400, /because no session policy allows/)

  const PermissionsBoundary = powerUser
  const bound = { UserName: 'all', PermissionsBoundary }
  await root.iam.send(new PutUserPermissionsBoundaryCommand(bound))
  await user.kms.send(new ListKeysCommand({}))
  const beyond = user.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await denied(beyond, 'AccessDeniedException', 400, /because no permissions boundary allows/)
  const { Policy } = await root.iam.send(new GetPolicyCommand({ PolicyArn: powerUser }))
  assert.deepEqual([Policy?.AttachmentCount, Policy?.PermissionsBoundaryUsageCount], [0, 1])
})

test('AWS managed policies are listed after the account’s own, returned, and counted for each account', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const PolicyDocument = documentOf({ Action: 'kms:List*' })
  for (const PolicyName of ['AdministratorAccess', 'zz', 'mine']) {
    await root.iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument }))
  }
  const local = ['AdministratorAccess', 'mine', 'zz'].map(
    (name) => `arn:aws:iam::${accountId}:policy/${name}`,
  )
  const published = [
    'aws-service-role/AWSKeyManagementServiceCustomKeyStoresServiceRolePolicy',
    'aws-service-role/AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy',
    'AWSKeyManagementServicePowerUser',
    'AdministratorAccess',
    'IAMFullAccess',
    'IAMReadOnlyAccess',
  ].map(awsArn)
  assert.deepEqual(await names(root, {}), [...local, ...published])
  assert.deepEqual(await names(root, { Scope: 'All' }), [...local, ...published])
  assert.deepEqual(await names(root, { Scope: 'Local' }), local)
  assert.deepEqual(await names(root, { Scope: 'AWS' }), published)
  assert.deepEqual(await names(root, { OnlyAttached: true }), [])
  await newUser('ops')
  await root.iam.send(new AttachUserPolicyCommand({ UserName: 'ops', PolicyArn: admin }))
  assert.deepEqual(await names(root, { OnlyAttached: true }), [admin])
  assert.deepEqual(await names(root, { PolicyUsageFilter: 'PermissionsBoundary' }), [])
  assert.deepEqual(await names(root, { PathPrefix: '/job-function/' }), [])

  const { Policy } = await root.iam.send(new GetPolicyCommand({ PolicyArn: admin }))
  assert.equal(Policy?.PolicyId, 'ANPAIWMBCKSKIEE64ZLYK')
  assert.deepEqual([Policy.AttachmentCount, Policy.DefaultVersionId], [1, 'v1'])
  assert.deepEqual(Policy.CreateDate, new Date('2015-02-06T18:39:46Z'))
  const { PolicyVersion } = await root.iam.send(
    new GetPolicyVersionCommand({ PolicyArn: admin, VersionId: 'v1' }),
  )
  const document = JSON.parse(decodeURIComponent(PolicyVersion?.Document ?? '')) as unknown
  const Statement = [{ Effect: 'Allow', Action: '*', Resource: '*' }]
  assert.deepEqual(document, { Version: '2012-10-17', Statement })
  const { PolicyUsers } = await root.iam.send(
    new ListEntitiesForPolicyCommand({ PolicyArn: admin }),
  )
  assert.deepEqual(
    PolicyUsers?.map(({ UserName }) => UserName),
    ['ops'],
  )
})

test('no call changes an AWS managed policy, and unknown ones are not found', async (t) => {
  const { root } = await openIdentities(t)
  const PolicyArn = admin
  const PolicyDocument = documentOf({ Action: 'kms:*' })
  const refused = (change: Promise<unknown>): Promise<void> =>
    denied(change, 'AccessDenied', 403, 'Policy is outside your own account.')
  const Tags = [{ Key: 'a', Value: 'b' }]
  await refused(root.iam.send(new DeletePolicyCommand({ PolicyArn })))
  await refused(root.iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument })))
  await refused(root.iam.send(new TagPolicyCommand({ PolicyArn, Tags })))
  for (const absent of [awsArn('ReadOnlyAccess'), admin.replace('aws:iam', 'aws-cn:iam')]) {
    const getting = root.iam.send(new GetPolicyCommand({ PolicyArn: absent }))
    await denied(getting, 'NoSuchEntityException', 404, `Policy ${absent} was not found.`)
  }
})
