/** `trent apply`: a file of everything, seen through the official SDKs. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  GetGroupCommand,
  GetOpenIDConnectProviderCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  GetUserCommand,
  GetUserPolicyCommand,
  IAMClient,
  ListAccountAliasesCommand,
  ListAttachedGroupPoliciesCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupsForUserCommand,
} from '@aws-sdk/client-iam'
import {
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  ListAliasesCommand,
  ListGrantsCommand,
  ListKeyRotationsCommand,
  ListResourceTagsCommand,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { callOperator } from '../../src/operator/client.ts'
import { credentials, region, startTestServer } from '../harness.ts'
import {
  apply,
  earlierMaterial,
  first,
  importedId,
  material,
  multiRegionId,
  pendingId,
  randomId,
  richFile,
  second,
  shown,
  symmetricId,
} from './applied.ts'
import { recordsOf, recordTexts } from './records.ts'

const server = await startTestServer({ TRENT_TEST_API: 'on' })
const kms = server.client()
const settings = { endpoint: server.url, region, maxAttempts: 1 }
const iam = new IAMClient({ ...settings, credentials })
const aliceCredentials = {
  accessKeyId: 'AKIAALICE00000000001',
  secretAccessKey: 'alice-secret-for-ci',
}
after(async () => {
  iam.destroy()
  await server.stop()
})

test('a dry run says what would be made, and makes nothing', async () => {
  const before = (await recordsOf(server.directory)).length
  const dry = await apply(server, richFile(), { dryRun: true })
  assert.equal(dry.dryRun, true)
  await assert.rejects(kms.send(new DescribeKeyCommand({ KeyId: symmetricId })), {
    name: 'NotFoundException',
  })
  const { Aliases } = await kms.send(new ListAliasesCommand({}))
  const own = Aliases?.filter(({ AliasName }) => AliasName?.startsWith('alias/aws/') !== true)
  assert.deepEqual(own, [])
  const [record, ...more] = (await recordsOf(server.directory))
    .slice(before)
    .filter(({ eventName }) => eventName === 'Apply')
  assert.equal(more.length, 0)
  assert.deepEqual(record?.requestParameters, { dryRun: true })

  const applied = await apply(server, richFile())
  assert.deepEqual(shown(applied), shown(dry))
})

test('every change is told, in the answer and in one record that holds no secret', async () => {
  const records = await recordsOf(server.directory)
  const record = records.findLast(({ eventName }) => eventName === 'Apply')
  const { changeCount, changes } = record?.responseElements ?? {}
  assert.equal(changeCount, 27)
  const arn = `arn:aws:kms:${region}:${first}`
  const told = (changes as { change: string; name: string }[]).map(
    ({ change, name }) => `${change} ${name}`,
  )
  for (const line of [
    `update arn:aws:iam::${first}:root`,
    `create arn:aws:iam::${second}:root`,
    'create SECONDROOT',
    `create arn:aws:iam::${first}:user/people/alice`,
    `create ${arn}:key/${symmetricId}`,
    `create ${arn}:key/${symmetricId} app`,
    `create ${arn}:alias/app`,
    `create arn:aws:kms:eu-west-1:${first}:key/${multiRegionId}`,
    `create arn:aws:kms:${region}:${second}:key/${symmetricId}`,
  ]) {
    assert(told.includes(line), line)
  }
  assert.equal(record?.requestParameters, null)
  const everything = [...(await recordTexts(server.directory)), ...server.logged].join('\n')
  for (const secret of ['alice-secret', 'second-root', material, earlierMaterial, 'PRIVATE KEY']) {
    assert(!everything.includes(secret), secret)
  }
})

test('a second application finds nothing to change, and is no change of the store', async () => {
  const { changes, warnings } = await apply(server, richFile())
  assert.deepEqual(changes, [])
  assert.match(warnings.join('\n'), /FIXED KEY MATERIAL: 5 keys .*\nFIXED SECRETS: 2 access keys/)
})

test('accounts are of the organisation that the file says', async () => {
  const { accounts } = (await callOperator(server.directory, 'ListAccounts')) as {
    readonly accounts: readonly Readonly<Record<string, unknown>>[]
  }
  const listed = accounts.find(({ accountId }) => accountId === first)
  assert(listed)
  assert.equal(listed['organizationId'], 'o-exampleorg')
  assert.equal(listed['organizationUnit'], 'r-ab12/ou-ab12-11111111')
  assert.equal((listed['serviceControlPolicies'] as unknown[]).length, 2)
})

test('identities are what the file says', async () => {
  const { AccountAliases } = await iam.send(new ListAccountAliasesCommand({}))
  assert.deepEqual(AccountAliases, ['first-account'])
  const policyArn = `arn:aws:iam::${first}:policy/UseKeys`
  const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn: policyArn }))
  assert.equal(Policy?.AttachmentCount, 2)
  assert.equal(Policy.Description, 'the use of keys')
  assert.deepEqual(Policy.Tags, [{ Key: 'team', Value: 'platform' }])
  const { PolicyVersion } = await iam.send(
    new GetPolicyVersionCommand({ PolicyArn: policyArn, VersionId: 'v1' }),
  )
  assert.match(decodeURIComponent(PolicyVersion?.Document ?? ''), /"kms:Encrypt"/)
  const { User } = await iam.send(new GetUserCommand({ UserName: 'alice' }))
  assert.equal(User?.Arn, `arn:aws:iam::${first}:user/people/alice`)
  assert.deepEqual(User.Tags, [{ Key: 'cost', Value: '5' }])
  assert.equal(
    User.PermissionsBoundary?.PermissionsBoundaryArn,
    `arn:aws:iam::${first}:policy/Boundary`,
  )
  const { Groups } = await iam.send(new ListGroupsForUserCommand({ UserName: 'alice' }))
  assert.deepEqual(
    Groups?.map(({ Arn }) => Arn),
    [`arn:aws:iam::${first}:group/teams/developers`],
  )
  const { Users } = await iam.send(new GetGroupCommand({ GroupName: 'developers' }))
  assert.deepEqual(
    Users?.map(({ UserName }) => UserName),
    ['alice'],
  )
  const ofUser = await iam.send(new ListAttachedUserPoliciesCommand({ UserName: 'alice' }))
  const ofGroup = await iam.send(new ListAttachedGroupPoliciesCommand({ GroupName: 'developers' }))
  assert.deepEqual(ofUser.AttachedPolicies, [{ PolicyName: 'UseKeys', PolicyArn: policyArn }])
  assert.deepEqual(ofGroup.AttachedPolicies, ofUser.AttachedPolicies)
  const own = await iam.send(new GetUserPolicyCommand({ UserName: 'alice', PolicyName: 'own' }))
  assert.match(decodeURIComponent(own.PolicyDocument ?? ''), /kms:ListAliases/)
  const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'app' }))
  assert.deepEqual([Role?.Description, Role?.MaxSessionDuration], ['the application', 7200])
  assert.match(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''), /user\/people\/alice/)
  const { Role: job } = await iam.send(new GetRoleCommand({ RoleName: 'job' }))
  assert.match(decodeURIComponent(job?.AssumeRolePolicyDocument ?? ''), /role\/worker/)
  await iam.send(new GetRolePolicyCommand({ RoleName: 'app', PolicyName: 'own' }))
  const provider = await iam.send(
    new GetOpenIDConnectProviderCommand({
      OpenIDConnectProviderArn: `arn:aws:iam::${first}:oidc-provider/token.example.com/tenant`,
    }),
  )
  assert.deepEqual(provider.ClientIDList, ['sts.amazonaws.com'])
})

test('fixed access keys sign: a user assumes the role that trusts it, whose grant lets it decrypt', async () => {
  const sts = new STSClient({ ...settings, credentials: aliceCredentials })
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${first}:role/app`,
      RoleSessionName: 'session',
    }),
  )
  sts.destroy()
  assert(Credentials?.AccessKeyId && Credentials.SecretAccessKey && Credentials.SessionToken)
  const session = server.client({
    credentials: {
      accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: Credentials.SecretAccessKey,
      sessionToken: Credentials.SessionToken,
    },
  })
  const sealed = await session.send(
    new EncryptCommand({
      KeyId: `arn:aws:kms:${region}:${first}:key/${symmetricId}`,
      Plaintext: Buffer.from('by a grant'),
      EncryptionContext: { tenant: 'a' },
    }),
  )
  const { Plaintext } = await kms.send(
    new DecryptCommand({
      CiphertextBlob: sealed.CiphertextBlob,
      EncryptionContext: { tenant: 'a' },
    }),
  )
  assert.equal(Buffer.from(Plaintext ?? []).toString(), 'by a grant')
  const bare = new EncryptCommand({ KeyId: symmetricId, Plaintext: Buffer.from('x') })
  await assert.rejects(session.send(bare), { name: 'AccessDeniedException' })
  const rootOfSecond = { accessKeyId: 'SECONDROOT', secretAccessKey: 'second-root-secret' }
  const { KeyMetadata } = await server
    .client({ credentials: rootOfSecond })
    .send(new DescribeKeyCommand({ KeyId: symmetricId }))
  assert.equal(KeyMetadata?.AWSAccountId, second)
})

test('keys are what the file says: settings, aliases, tags, grants, rotations and replicas', async () => {
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/app-2' }))
  assert.deepEqual(
    [KeyMetadata?.KeyId, KeyMetadata?.Description, KeyMetadata?.KeyState, KeyMetadata?.Origin],
    [symmetricId, 'the main key', 'Enabled', 'AWS_KMS'],
  )
  const { Tags } = await kms.send(new ListResourceTagsCommand({ KeyId: symmetricId }))
  assert.deepEqual(Tags, [{ TagKey: 'env', TagValue: 'ci' }])
  const { Grants } = await kms.send(new ListGrantsCommand({ KeyId: symmetricId }))
  assert.deepEqual(
    Grants?.map(({ Name, GranteePrincipal, Operations, Constraints }) => ({
      Name,
      GranteePrincipal,
      Operations,
      Constraints,
    })),
    [
      {
        Name: 'app',
        GranteePrincipal: `arn:aws:iam::${first}:role/app`,
        Operations: ['Decrypt', 'Encrypt'],
        Constraints: { EncryptionContextSubset: { tenant: 'a' } },
      },
    ],
  )
  const rotation = await kms.send(new GetKeyRotationStatusCommand({ KeyId: symmetricId }))
  assert.deepEqual([rotation.KeyRotationEnabled, rotation.RotationPeriodInDays], [true, 90])
  const { Rotations } = await kms.send(
    new ListKeyRotationsCommand({ KeyId: symmetricId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }),
  )
  assert.deepEqual(Rotations?.map((each) => each.KeyMaterialState).sort(), [
    'CURRENT',
    'NON_CURRENT',
  ])
  const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId: symmetricId }))
  assert.match(Policy ?? '', /user\/people\/alice/)
  const replica = await server
    .client({ region: 'eu-west-1' })
    .send(new DescribeKeyCommand({ KeyId: 'alias/multi' }))
  assert.deepEqual(
    [
      replica.KeyMetadata?.Description,
      replica.KeyMetadata?.MultiRegionConfiguration?.MultiRegionKeyType,
    ],
    ['there', 'REPLICA'],
  )
  const states = await Promise.all(
    [importedId, pendingId].map(async (KeyId) => {
      const { KeyMetadata: found } = await kms.send(new DescribeKeyCommand({ KeyId }))
      return [found?.KeyState, found?.ExpirationModel]
    }),
  )
  assert.deepEqual(states, [
    ['Enabled', 'KEY_MATERIAL_DOES_NOT_EXPIRE'],
    ['PendingImport', undefined],
  ])
  const disabled = await server
    .client({ region: 'eu-central-1' })
    .send(new DescribeKeyCommand({ KeyId: randomId }))
  assert.equal(disabled.KeyMetadata?.KeyState, 'Disabled')
})
