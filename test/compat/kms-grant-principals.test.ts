/** Grants that name their principals by a service or by a unique id. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeleteRoleCommand, DeleteRolePolicyCommand } from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  type CreateGrantCommandInput,
  type CreateGrantCommandOutput,
  DecryptCommand,
  EncryptCommand,
  type GrantListEntry,
  ListGrantsCommand,
  ListRetirableGrantsCommand,
  PutKeyPolicyCommand,
  RetireGrantCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { accountId } from '../harness.ts'
import { credentialsOf, denied, openIdentities } from './identities.ts'
import { makeKey } from './sdk.ts'
import { openServices } from './services.ts'

interface Lists {
  readonly grant: (input: Partial<CreateGrantCommandInput>) => Promise<CreateGrantCommandOutput>
  readonly grantsTo: (GranteePrincipal?: string) => Promise<readonly GrantListEntry[]>
  readonly retirableBy: (RetiringPrincipal: string) => Promise<readonly GrantListEntry[]>
}

const listsOf = (kms: KMSClient, KeyId: string): Lists => ({
  grant: (input) =>
    kms.send(new CreateGrantCommand({ KeyId, Operations: ['Decrypt'], ...input } as never)),
  async grantsTo(GranteePrincipal) {
    const { Grants = [] } = await kms.send(new ListGrantsCommand({ KeyId, GranteePrincipal }))
    return Grants
  },
  async retirableBy(RetiringPrincipal) {
    const command = new ListRetirableGrantsCommand({ RetiringPrincipal })
    return (await kms.send(command)).Grants ?? []
  },
})
const ids = (grants: readonly GrantListEntry[]): readonly string[] =>
  grants.map(({ GrantId = '' }) => GrantId)

test('a service is a grantee and a retiring principal under its name, which is given back unchanged', async (t) => {
  const services = await openServices(t)
  const { root } = services
  const { arn: KeyId } = await makeKey(root.kms)
  const { grant, grantsTo, retirableBy } = listsOf(root.kms, KeyId)
  const dynamodb = await services.register('dynamodb.amazonaws.com')
  const sns = await services.register('sns.amazonaws.com')
  const grantee = 'dynamodb.us-west-2.amazonaws.com'
  const named = { Name: 'table', GranteePrincipal: grantee, RetiringPrincipal: 'sns.amazonaws.com' }
  const { GrantId = '' } = await grant(named)
  assert.equal((await grant(named)).GrantId, GrantId)
  const [entry] = await grantsTo(grantee)
  assert.deepEqual(
    [entry?.GrantId, entry?.GranteePrincipal, entry?.RetiringPrincipal],
    [GrantId, grantee, 'sns.amazonaws.com'],
  )
  assert.equal(entry?.GranteeServicePrincipal, undefined)
  assert.deepEqual(ids(await retirableBy('sns.amazonaws.com')), [GrantId])
  assert.deepEqual(await grantsTo('sns.amazonaws.com'), [])
  assert.deepEqual(await retirableBy(grantee), [])
  // Services that are not registered, of other Regions and of other partitions are names as well.
  for (const GranteePrincipal of [
    'dynamodb.us-west-1.amazonaws.com',
    'lambda.amazonaws.com',
    'ec2.amazonaws.com.cn',
  ]) {
    await grant({ GranteePrincipal })
    assert.equal((await grantsTo(GranteePrincipal))[0]?.GranteePrincipal, GranteePrincipal)
  }
  // It permits what it says, to the service that it names.
  const { CiphertextBlob } = await root.kms.send(
    new EncryptCommand({ KeyId, Plaintext: Buffer.from('a') }),
  )
  const decrypt = new DecryptCommand({ KeyId, CiphertextBlob })
  await dynamodb.kmsWith({}).send(decrypt)
  await denied(sns.kmsWith({}).send(decrypt), 'AccessDeniedException', 400, /kms:Decrypt/)
  await denied(
    dynamodb.kmsWith({}).send(new RetireGrantCommand({ KeyId, GrantId })),
    'AccessDeniedException',
    400,
    /kms:RetireGrant/,
  )
  await sns.kmsWith({}).send(new RetireGrantCommand({ KeyId, GrantId }))
  await denied(dynamodb.kmsWith({}).send(decrypt), 'AccessDeniedException', 400, /kms:Decrypt/)
  // One that the other member names is the same service.
  const SourceArn = `arn:aws:dynamodb:us-west-2:${accountId}:table/t`
  const other = await grant({
    GranteeServicePrincipal: grantee,
    RetiringServicePrincipal: 'sns.amazonaws.com',
    Constraints: { SourceArn },
  })
  const [shown] = await grantsTo(grantee)
  assert.deepEqual(
    [shown?.GrantId, shown?.GranteeServicePrincipal, shown?.GranteePrincipal],
    [other.GrantId, grantee, undefined],
  )
})

test('what only looks like a service is no principal', async (t) => {
  const { root } = await openIdentities(t)
  const { arn: KeyId } = await makeKey(root.kms)
  const { grant, grantsTo, retirableBy } = listsOf(root.kms, KeyId)
  for (const text of [
    'amazonaws.com',
    'ec2.example.com',
    'ec2.amazonaws.com.example.com',
    'EC2.amazonaws.com',
    'ec2',
    'ec2@x.amazonaws.com',
    accountId,
  ]) {
    await denied(
      grant({ GranteePrincipal: text }),
      'InvalidArnException',
      400,
      'GranteePrincipal does not refer to a valid principal.',
    )
    await denied(
      grant({ GranteePrincipal: `arn:aws:iam::${accountId}:root`, RetiringPrincipal: text }),
      'InvalidArnException',
      400,
      'RetiringPrincipal does not refer to a valid principal.',
    )
    await denied(
      grantsTo(text),
      'InvalidArnException',
      400,
      'Input does not refer to a valid principal',
    )
    const gone = `Retiring principal ${text} could not be found`
    await denied(retirableBy(text), 'NotFoundException', 400, gone)
  }
})

test('a role and its sessions are principals of grants by their unique ids, while the role is there', async (t) => {
  const identities = await openIdentities(t)
  const { root } = identities
  const { arn: KeyId } = await makeKey(root.kms)
  const { grant, grantsTo, retirableBy } = listsOf(root.kms, KeyId)
  const alice = await identities.newUser('alice', { Action: 'sts:AssumeRole' })
  const trust = { Effect: 'Allow', Principal: { AWS: alice.arn }, Action: 'sts:AssumeRole' }
  const role = await identities.newRole('worker', trust, { Action: 's3:*' }, { Path: '/team/' })
  const forms = [
    [`${role.roleId}:job`, `arn:aws:sts::${accountId}:assumed-role/worker/job`],
    [role.roleId, role.arn],
  ] as const
  for (const [id, arn] of forms) {
    const named = { Name: `of-${id.length}`, GranteePrincipal: id, RetiringPrincipal: id }
    const { GrantId = '' } = await grant(named)
    assert.equal((await grant(named)).GrantId, GrantId)
    const byArn = { ...named, GranteePrincipal: arn, RetiringPrincipal: arn }
    assert.equal((await grant(byArn)).GrantId, GrantId)
    for (const text of [id, arn]) {
      const [entry] = await grantsTo(text)
      assert.deepEqual(
        [entry?.GrantId, entry?.GranteePrincipal, entry?.RetiringPrincipal],
        [GrantId, arn, arn],
      )
      assert.deepEqual(ids(await retirableBy(text)), [GrantId])
    }
  }
  const { Credentials } = await alice.sts.send(
    new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: 'job' }),
  )
  const { CiphertextBlob } = await root.kms.send(
    new EncryptCommand({ KeyId, Plaintext: Buffer.from('a') }),
  )
  const job = identities.as(credentialsOf(Credentials)).kms
  await job.send(new DecryptCommand({ KeyId, CiphertextBlob }))

  const RoleName = 'worker'
  await root.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'own' }))
  await root.iam.send(new DeleteRoleCommand({ RoleName }))
  await identities.newRole('worker', trust, { Action: 's3:*' }, { Path: '/team/' })
  for (const [id] of forms) {
    await denied(
      grant({ GranteePrincipal: id }),
      'InvalidArnException',
      400,
      'GranteePrincipal does not refer to a valid principal.',
    )
    await denied(
      grantsTo(id),
      'InvalidArnException',
      400,
      'Input does not refer to a valid principal',
    )
    const gone = `Retiring principal ${id} could not be found`
    await denied(retirableBy(id), 'NotFoundException', 400, gone)
  }
  const shown = (await grantsTo()).map(({ GranteePrincipal }) => GranteePrincipal)
  assert.deepEqual(new Set(shown), new Set(forms.map(([id]) => id)))
})

test('a condition on a grant’s principals sees an ARN where the caller wrote an id', async (t) => {
  const identities = await openIdentities(t)
  const { root } = identities
  const { arn: KeyId } = await makeKey(root.kms)
  const trust = { Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' }
  const role = await identities.newRole('worker', trust)
  const session = `arn:aws:sts::${accountId}:assumed-role/worker/job`
  const rootArn = `arn:aws:iam::${accountId}:root`
  const alice = await identities.newUser('alice', { Action: 'kms:*' })
  const { grant } = listsOf(alice.kms, KeyId)
  const all = { Principal: { AWS: rootArn }, Resource: '*' }
  const put = async (member: string, arns: readonly string[]): Promise<void> => {
    const Statement = [
      { ...all, Effect: 'Allow', Action: 'kms:*' },
      {
        ...all,
        Effect: 'Deny',
        Action: 'kms:CreateGrant',
        Condition: { ArnLike: { [`kms:${member}`]: arns } },
      },
    ]
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
  }
  const grantee = { GranteePrincipal: alice.arn }
  for (const member of ['GranteePrincipal', 'RetiringPrincipal']) {
    await put(member, [session, role.arn])
    for (const text of [session, `${role.roleId}:job`, role.arn, role.roleId]) {
      const asked = grant({ ...grantee, [member]: text })
      await denied(asked, 'AccessDeniedException', 400, /explicit deny in a resource-based policy/)
    }
    await grant({ ...grantee, [member]: `${role.roleId}:other` })
  }
})
