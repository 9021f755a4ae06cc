/** A renamed user stays the same user: for its policies, groups, key policies, roles and grants. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AddUserToGroupCommand,
  CreateGroupCommand,
  CreateUserCommand,
  GetRoleCommand,
  GetUserCommand,
  ListGroupsForUserCommand,
  PutGroupPolicyCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  ListGrantsCommand,
  RetireGrantCommand,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { denied, documentOf, notAllowed, openIdentities } from '../../compat/identities.ts'
import { makeKey } from '../../compat/sdk.ts'
import { accountId } from '../../harness.ts'

const Plaintext = Buffer.from('x')

test('references to a user follow its new name, and a new user of the old name gets nothing', async (t) => {
  const { newRole, newUser, root } = await openIdentities(t)
  const { iam, kms } = root
  const ada = await newUser('ada', { Action: 'kms:GenerateRandom' })
  await iam.send(new CreateGroupCommand({ GroupName: 'g' }))
  const PolicyDocument = documentOf({ Action: 'sts:AssumeRole' })
  await iam.send(new PutGroupPolicyCommand({ GroupName: 'g', PolicyName: 'p', PolicyDocument }))
  await iam.send(new AddUserToGroupCommand({ GroupName: 'g', UserName: 'ada' }))
  const trust = { Effect: 'Allow', Principal: { AWS: ada.arn }, Action: 'sts:AssumeRole' }
  const role = await newRole('ops', trust)
  const statement = { Effect: 'Allow', Resource: '*' }
  const { keyId: KeyId } = await makeKey(kms, {
    Policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { ...statement, Principal: { AWS: accountId }, Action: 'kms:*' },
        { ...statement, Principal: { AWS: ada.arn }, Action: 'kms:Encrypt' },
      ],
    }),
  })
  const grant = {
    KeyId,
    GranteePrincipal: ada.arn,
    RetiringPrincipal: ada.arn,
    Operations: ['Decrypt' as const],
  }
  const { GrantId, GrantToken = '' } = await kms.send(new CreateGrantCommand(grant))
  const rename = { UserName: 'ada', NewUserName: 'lovelace', NewPath: '/x/' }
  await iam.send(new UpdateUserCommand(rename))

  const arn = `arn:aws:iam::${accountId}:user/x/lovelace`
  assert.deepEqual(await ada.whoAmI(), { UserId: ada.userId, Account: accountId, Arn: arn })
  await ada.kms.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))
  const { CiphertextBlob } = await ada.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await ada.kms.send(new DecryptCommand({ CiphertextBlob, GrantTokens: [GrantToken] }))
  await ada.sts.send(new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: 'ci' }))
  const { Groups } = await iam.send(new ListGroupsForUserCommand({ UserName: 'lovelace' }))
  assert.deepEqual(
    Groups?.map(({ GroupName }) => GroupName),
    ['g'],
  )
  const { Policy = '' } = await kms.send(new GetKeyPolicyCommand({ KeyId }))
  assert(Policy.includes(arn) && !Policy.includes(ada.arn))
  const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'ops' }))
  assert(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '').includes(arn))
  const { Grants } = await kms.send(new ListGrantsCommand({ KeyId, GranteePrincipal: arn }))
  assert.deepEqual(
    Grants?.map(({ GranteePrincipal, RetiringPrincipal }) => [GranteePrincipal, RetiringPrincipal]),
    [[arn, arn]],
  )

  const namesake = await newUser('ada')
  const encrypt = namesake.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await denied(encrypt, 'AccessDeniedException', 400, /no identity-based policy/)
  await denied(
    namesake.kms.send(new DecryptCommand({ CiphertextBlob })),
    'AccessDeniedException',
    400,
    /./,
  )
  const assume = new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: 'ci' })
  await denied(namesake.sts.send(assume), 'AccessDenied', 403, /sts:AssumeRole/)
  await ada.kms.send(new RetireGrantCommand({ KeyId, GrantId }))
})

test('a name that is taken, whatever its case, or that the caller must not give is refused', async (t) => {
  const { newUser, root } = await openIdentities(t)
  for (const UserName of ['one', 'Two']) await root.iam.send(new CreateUserCommand({ UserName }))
  const taken = root.iam.send(new UpdateUserCommand({ UserName: 'one', NewUserName: 'two' }))
  await denied(taken, 'EntityAlreadyExistsException', 409, 'User with name two already exists.')
  await root.iam.send(new UpdateUserCommand({ UserName: 'one', NewUserName: 'ONE' }))
  const user = await newUser('clerk', {
    Action: 'iam:UpdateUser',
    Resource: `arn:aws:iam::${accountId}:user/o*`,
  })
  const rename = (NewUserName: string) =>
    user.iam.send(new UpdateUserCommand({ UserName: 'other', NewUserName }))
  await root.iam.send(new CreateUserCommand({ UserName: 'other' }))
  await rename('office')
  await root.iam.send(new UpdateUserCommand({ UserName: 'office', NewUserName: 'other' }))
  const message = notAllowed(user.arn, 'iam:UpdateUser', 'user other')
  await denied(rename('admin'), 'AccessDenied', 403, message)
})

test('the ARN that a user gets is authorized, whether its name, its path or both change', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const within = (path: string) => `arn:aws:iam::${accountId}:user${path}`
  const { iam, arn } = await newUser('clerk', {
    Action: 'iam:UpdateUser',
    Resource: within('/dev/*'),
  })
  await root.iam.send(new CreateUserCommand({ UserName: 'bob', Path: '/dev/' }))
  const message = notAllowed(arn, 'iam:UpdateUser', 'user bob')
  const moved = iam.send(new UpdateUserCommand({ UserName: 'bob', NewPath: '/admin/' }))
  await denied(moved, 'AccessDenied', 403, message)
  const both = { UserName: 'bob', NewPath: '/admin/', NewUserName: 'rob' }
  await denied(iam.send(new UpdateUserCommand(both)), 'AccessDenied', 403, message)
  // The path stays.
  await iam.send(new UpdateUserCommand({ UserName: 'bob', NewUserName: 'rob' }))
  const { User } = await root.iam.send(new GetUserCommand({ UserName: 'rob' }))
  assert.equal(User?.Arn, within('/dev/rob'))
  await iam.send(new UpdateUserCommand({ UserName: 'rob', NewPath: '/dev/x/' }))
  await iam.send(new UpdateUserCommand({ UserName: 'rob' }))
})
