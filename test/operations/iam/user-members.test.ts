/** Boundaries and tags of users, tags of policies, the account's alias, and last uses, through the SDK. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateAccountAliasCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  DeleteAccountAliasCommand,
  DeletePolicyCommand,
  DeleteUserCommand,
  DeleteUserPermissionsBoundaryCommand,
  GetAccessKeyLastUsedCommand,
  GetUserCommand,
  ListAccountAliasesCommand,
  ListPolicyTagsCommand,
  ListUserTagsCommand,
  PutUserPermissionsBoundaryCommand,
  TagPolicyCommand,
  TagUserCommand,
  UntagPolicyCommand,
  UntagUserCommand,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, EncryptCommand, GenerateRandomCommand } from '@aws-sdk/client-kms'
import {
  denied,
  documentOf,
  notAllowed,
  openIdentities,
  type Signed,
} from '../../compat/identities.ts'
import { makeKey } from '../../compat/sdk.ts'
import { accountId } from '../../harness.ts'

const random = new GenerateRandomCommand({ NumberOfBytes: 1 })

async function newPolicy(by: Signed, PolicyName: string, statement: object): Promise<string> {
  const PolicyDocument = documentOf(statement)
  const { Policy } = await by.iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument }))
  assert(Policy?.Arn)
  return Policy.Arn
}

test('a boundary limits identity policies at once, but not a key policy that names the user', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const user = await newUser('bounded', { Action: ['kms:GenerateRandom', 'kms:CreateKey'] })
  const create = (): Promise<unknown> => user.kms.send(new CreateKeyCommand({}))
  await create()
  const edge = await newPolicy(root, 'edge', { Action: ['kms:GenerateRandom', 'kms:ListKeys'] })
  const put = { UserName: 'bounded', PermissionsBoundary: edge }
  await root.iam.send(new PutUserPermissionsBoundaryCommand(put))
  await user.kms.send(random)
  const says = (action: string): string =>
    `User: ${user.arn} is not authorized to perform: ${action} on resource: * because no ` +
    `permissions boundary allows the ${action} action`
  await denied(create(), 'AccessDeniedException', 400, says('kms:CreateKey'))
  const { User } = await root.iam.send(new GetUserCommand({ UserName: 'bounded' }))
  assert.equal(User?.PermissionsBoundary?.PermissionsBoundaryArn, edge)
  const statement = { Effect: 'Allow', Resource: '*' }
  const { keyId: KeyId } = await makeKey(root.kms, {
    Policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { ...statement, Principal: { AWS: accountId }, Action: 'kms:PutKeyPolicy' },
        { ...statement, Principal: { AWS: user.arn }, Action: 'kms:Encrypt' },
      ],
    }),
  })
  await user.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  const inUse = root.iam.send(new DeletePolicyCommand({ PolicyArn: edge }))
  await denied(inUse, 'DeleteConflictException', 409, /attached to entities/)
  const UserName = 'bounded'
  await root.iam.send(new DeleteUserPermissionsBoundaryCommand({ UserName }))
  await create()
  await root.iam.send(new DeletePolicyCommand({ PolicyArn: edge }))
})

test('a caller that can create users only with a boundary creates none without it', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const edge = await newPolicy(root, 'edge', { Action: 'kms:*' })
  const hr = await newUser('hr', {
    Action: 'iam:CreateUser',
    Condition: { StringEquals: { 'iam:PermissionsBoundary': edge } },
  })
  const create = (UserName: string, PermissionsBoundary?: string) =>
    hr.iam.send(new CreateUserCommand({ UserName, PermissionsBoundary }))
  const { User } = await create('within', edge)
  assert.equal(User?.PermissionsBoundary?.PermissionsBoundaryArn, edge)
  const arn = `arn:aws:iam::${accountId}:user/without`
  await denied(create('without'), 'AccessDenied', 403, notAllowed(hr.arn, 'iam:CreateUser', arn))
  const absent = `arn:aws:iam::${accountId}:policy/absent`
  const message = `Scope ARN: ${absent} does not exist or is not attachable.`
  const asRoot = new CreateUserCommand({ UserName: 'x', PermissionsBoundary: absent })
  await denied(root.iam.send(asRoot), 'NoSuchEntityException', 404, message)
  await root.iam.send(new DeleteUserCommand({ UserName: 'within' }))
  await root.iam.send(new DeletePolicyCommand({ PolicyArn: edge }))
})

test('tags of users are principal tags in policies, with keys of any case, fifty at most', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const user = await newUser('tagged', {
    Action: 'kms:GenerateRandom',
    Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue' } },
  })
  const UserName = 'tagged'
  const tag = (...Tags: readonly [string, string][]) =>
    root.iam.send(
      new TagUserCommand({ UserName, Tags: Tags.map(([Key, Value]) => ({ Key, Value })) }),
    )
  await denied(
    user.kms.send(random),
    'AccessDeniedException',
    400,
    notAllowed(user.arn, 'kms:GenerateRandom', '*'),
  )
  await tag(['Team', 'blue'], ['other', ''])
  await user.kms.send(random)
  await tag(['TEAM', 'red'])
  await denied(user.kms.send(random), 'AccessDeniedException', 400, /kms:GenerateRandom/)
  const { Tags } = await root.iam.send(new ListUserTagsCommand({ UserName }))
  assert.deepEqual(Tags, [
    { Key: 'TEAM', Value: 'red' },
    { Key: 'other', Value: '' },
  ])
  await root.iam.send(new UntagUserCommand({ UserName, TagKeys: ['team', 'absent'] }))
  await tag(...Array.from({ length: 49 }, (_, index): [string, string] => [`t${index}`, 'v']))
  const message = 'The number of tags has reached the maximum limit.'
  await denied(tag(['one-more', '']), 'LimitExceededException', 409, message)
  const twice = tag(['a', '1'], ['A', '2'])
  await denied(twice, 'InvalidInputException', 400, /Duplicate tag keys/)
})

test('policies have tags, and an account alias is unique among accounts', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const PolicyArn = await newPolicy(root, 'plain', { Action: 'kms:*' })
  await root.iam.send(new TagPolicyCommand({ PolicyArn, Tags: [{ Key: 'k', Value: 'v' }] }))
  const { Tags } = await root.iam.send(new ListPolicyTagsCommand({ PolicyArn }))
  assert.deepEqual(Tags, [{ Key: 'k', Value: 'v' }])
  await root.iam.send(new UntagPolicyCommand({ PolicyArn, TagKeys: ['K'] }))
  const left = await root.iam.send(new ListPolicyTagsCommand({ PolicyArn }))
  assert.deepEqual(left.Tags, [])
  const user = await newUser('no-tagger', { Action: 'iam:ListPolicyTags' })
  await user.iam.send(new ListPolicyTagsCommand({ PolicyArn }))
  const refused = user.iam.send(new TagPolicyCommand({ PolicyArn, Tags: [] }))
  await denied(refused, 'AccessDenied', 403, /iam:TagPolicy on resource: policy arn/)
  await root.iam.send(new CreateAccountAliasCommand({ AccountAlias: 'lab' }))
  const aliases = async (): Promise<unknown> =>
    (await root.iam.send(new ListAccountAliasesCommand({}))).AccountAliases
  assert.deepEqual(await aliases(), ['lab'])
  await root.iam.send(new DeleteAccountAliasCommand({ AccountAlias: 'lab' }))
  assert.deepEqual(await aliases(), [])
  for (const AccountAlias of ['ab', 'Lab', '-lab', 'lab-', 'a--b', 'a'.repeat(64), 'a b', 'a.b']) {
    const wrong = root.iam.send(new CreateAccountAliasCommand({ AccountAlias }))
    await denied(wrong, 'ValidationError', 400, /accountAlias/)
  }
})

test('the last use of an access key has its service and Region', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const user = await newUser('user-of-keys', { Action: 'kms:GenerateRandom' })
  const AccessKeyId = user.credentials.accessKeyId
  const last = async (): Promise<unknown> => {
    const answer = await root.iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }))
    const { LastUsedDate, ...use } = answer.AccessKeyLastUsed ?? {}
    return [answer.UserName, use, LastUsedDate !== undefined]
  }
  const never = { ServiceName: 'N/A', Region: 'N/A' }
  assert.deepEqual(await last(), ['user-of-keys', never, false])
  await user.kms.send(random)
  assert.deepEqual(await last(), [
    'user-of-keys',
    { ServiceName: 'kms', Region: 'us-west-2' },
    true,
  ])
  const absent = new GetAccessKeyLastUsedCommand({ AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' })
  await denied(root.iam.send(absent), 'NoSuchEntityException', 404, /cannot be found/)
})
