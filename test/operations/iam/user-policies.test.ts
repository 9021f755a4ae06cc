/** Inline policies of users through the official SDK: what they allow, and what they do not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  GetUserCommand,
  GetUserPolicyCommand,
  ListUserPoliciesCommand,
  ListUsersCommand,
  PutUserPolicyCommand,
  TagUserCommand,
} from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  PutKeyPolicyCommand,
  TagResourceCommand,
} from '@aws-sdk/client-kms'
import {
  denied,
  documentOf,
  newKey,
  notAllowed,
  openIdentities,
  userArnOf,
  type Signed,
} from '../../compat/identities.ts'
import { makeKey } from '../../compat/sdk.ts'
import { accountId } from '../../harness.ts'

const encrypt = ({ kms }: Signed, KeyId: string): Promise<unknown> =>
  kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))

function putPolicy(by: Signed, UserName: string, PolicyDocument: string): Promise<unknown> {
  return by.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument }))
}

test('an inline policy is written, returned unchanged, listed and deleted', async (t) => {
  const { root, newUser } = await openIdentities(t)
  await newUser('ada')
  const document = `{ "Version": "2012-10-17", "Statement": [ { "Effect": "Allow",\r\n "Action": "kms:*(!')é", "Resource": "*" } ] }`
  const named = { UserName: 'ada', PolicyName: '__proto__' }
  const get = () => root.iam.send(new GetUserPolicyCommand(named))
  const absent = 'The user policy with name __proto__ cannot be found.'
  await denied(get(), 'NoSuchEntityException', 404, absent)
  await root.iam.send(new PutUserPolicyCommand({ ...named, PolicyDocument: document }))
  const found = await get()
  assert.equal(decodeURIComponent(found.PolicyDocument ?? ''), document)
  assert.match(found.PolicyDocument ?? '', /^[A-Za-z0-9_.~%-]+$/)
  const list = async (): Promise<unknown> =>
    (await root.iam.send(new ListUserPoliciesCommand({ UserName: 'ada' }))).PolicyNames
  assert.deepEqual(await list(), ['__proto__'])
  await root.iam.send(new DeleteUserPolicyCommand(named))
  await denied(get(), 'NoSuchEntityException', 404, absent)
  const again = root.iam.send(new DeleteUserPolicyCommand(named))
  await denied(again, 'NoSuchEntityException', 404, absent)
  assert.deepEqual(await list(), [])
})

test('an identity policy gives access to a key whose policy delegates to its account', async (t) => {
  const { root, newUser } = await openIdentities(t)
  const { keyId, arn } = await makeKey(root.kms)
  const other = await makeKey(root.kms)
  const ada = await newUser('ada', { Action: 'kms:Encrypt', Resource: arn })
  await encrypt(ada, keyId)
  const refusal = notAllowed(ada.arn, 'kms:Encrypt', other.arn)
  await denied(encrypt(ada, other.keyId), 'AccessDeniedException', 400, refusal)
  await putPolicy(root, 'ada', documentOf({ Effect: 'Deny', Action: 'kms:*' }))
  const explicit = `User: ${ada.arn} is not authorized to perform: kms:Encrypt on resource: ${arn} with an explicit deny in an identity-based policy`
  await denied(encrypt(ada, keyId), 'AccessDeniedException', 400, explicit)
  await putPolicy(root, 'ada', documentOf({ Action: 'kms:*' }))
  await encrypt(ada, other.keyId)
  await ada.kms.send(new CreateKeyCommand({}))
  await root.iam.send(new DeleteUserPolicyCommand({ UserName: 'ada', PolicyName: 'own' }))
  await denied(encrypt(ada, other.keyId), 'AccessDeniedException', 400, refusal)
})

test('identity policies give no access to a key whose policy does not delegate to the account', async (t) => {
  const { root, newUser } = await openIdentities(t)
  const { keyId, arn } = await makeKey(root.kms)
  const ada = await newUser('ada', { Action: 'kms:*' })
  const bob = await newUser('bob', { Action: 'kms:*' })
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { AWS: bob.arn }, Action: 'kms:*', Resource: '*' },
  })
  await root.kms.send(
    new PutKeyPolicyCommand({ KeyId: keyId, Policy, BypassPolicyLockoutSafetyCheck: true }),
  )
  await encrypt(bob, keyId)
  const refusal = `User: ${ada.arn} is not authorized to perform: kms:Encrypt on resource: ${arn} because no resource-based policy allows the kms:Encrypt action`
  await denied(encrypt(ada, keyId), 'AccessDeniedException', 400, refusal)
})

test('identity policies decide on calls of IAM, by user and by path', async (t) => {
  const { root, newUser } = await openIdentities(t)
  const admin = await newUser('admin', {
    Action: 'iam:*',
    Resource: userArnOf('team/*'),
  })
  await admin.iam.send(new CreateUserCommand({ UserName: 'ada', Path: '/team/' }))
  await newKey(admin, 'ada')
  await putPolicy(admin, 'ada', documentOf({ Action: 'kms:*' }))
  await admin.iam.send(new ListUsersCommand({ PathPrefix: '/team/' }))
  const refused = (call: Promise<unknown>, action: string, resource: string): Promise<void> =>
    denied(call, 'AccessDenied', 403, notAllowed(admin.arn, action, resource))
  await refused(admin.iam.send(new ListUsersCommand({})), 'iam:ListUsers', userArnOf(''))
  await refused(
    admin.iam.send(new CreateUserCommand({ UserName: 'eve' })),
    'iam:CreateUser',
    userArnOf('eve'),
  )
  await refused(
    putPolicy(admin, 'admin', documentOf({ Action: '*' })),
    'iam:PutUserPolicy',
    'user admin',
  )
  await root.iam.send(new CreateUserCommand({ UserName: 'bob' }))
  await refused(newKey(admin, 'bob'), 'iam:CreateAccessKey', 'user bob')
})

test('policy variables and tags of the caller decide', async (t) => {
  const { as, root, newUser } = await openIdentities(t)
  const self = { Action: 'iam:GetUser', Resource: userArnOf('${aws:username}') }
  const ada = await newUser('ada', self)
  await ada.iam.send(new GetUserCommand({}))
  await newUser('bob')
  const other = ada.iam.send(new GetUserCommand({ UserName: 'bob' }))
  await denied(other, 'AccessDenied', 403, notAllowed(ada.arn, 'iam:GetUser', 'user bob'))
  const { keyId, arn } = await makeKey(root.kms)
  const Tags = [{ Key: 'Team', Value: 'blue' }]
  await root.iam.send(new CreateUserCommand({ UserName: 'eve', Tags }))
  const sameTeam = { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/team}' } }
  await putPolicy(root, 'eve', documentOf({ Action: 'kms:Encrypt', Condition: sameTeam }))
  const eve = as(await newKey(root, 'eve')).kms
  const use = (): Promise<unknown> =>
    eve.send(new EncryptCommand({ KeyId: keyId, Plaintext: Buffer.from('x') }))
  const refusal = notAllowed(userArnOf('eve'), 'kms:Encrypt', arn)
  await denied(use(), 'AccessDeniedException', 400, refusal)
  const tagged = [{ TagKey: 'team', TagValue: 'blue' }]
  await root.kms.send(new TagResourceCommand({ KeyId: keyId, Tags: tagged }))
  await use()
})

test('the lockout check knows the caller’s tags', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const user = await newUser('keeper', { Action: 'kms:*' })
  const policyFor = (team: string): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: 'kms:*',
        Resource: '*',
        Condition: { StringEquals: { 'aws:PrincipalTag/team': team } },
      },
    })
  const tag = { UserName: 'keeper', Tags: [{ Key: 'team', Value: 'blue' }] }
  await root.iam.send(new TagUserCommand(tag))
  const { KeyMetadata } = await user.kms.send(new CreateKeyCommand({ Policy: policyFor('blue') }))
  const KeyId = KeyMetadata?.KeyId ?? ''
  const write = (team: string): Promise<unknown> =>
    user.kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policyFor(team) }))
  await write('blue')
  const lockout = 'The new key policy will not allow you to update the key policy in the future.'
  await denied(write('red'), 'MalformedPolicyDocumentException', 400, lockout)
})

test('malformed identity policies are refused when they are written', async (t) => {
  const { root, newUser } = await openIdentities(t)
  const ada = await newUser('ada', { Action: 'sts:*' })
  const malformed = (document: string, message: string | RegExp): Promise<void> =>
    denied(putPolicy(root, 'ada', document), 'MalformedPolicyDocumentException', 400, message)
  await malformed('{', 'Syntax errors in policy.')
  await malformed('{"Version":"2012-10-17","Statement":[]}', /empty/)
  await malformed(documentOf({ Action: 'kms:*', Principal: '*' }), /names no principal/)
  await malformed(documentOf({ Action: 'kms:*', Condition: { NoSuch: { a: 'b' } } }), /Condition/)
  await malformed(
    JSON.stringify({ Statement: { Effect: 'Allow', Action: 'kms:*' } }),
    /it has no resources/,
  )
  const many = Array.from({ length: 200 }, (_, index) => `kms:action${index}`)
  const size = 'Maximum policy size of 2048 bytes exceeded for user ada'
  const large = putPolicy(root, 'ada', documentOf({ Action: many }))
  await denied(large, 'LimitExceededException', 409, size)
  // White space does not count.
  const spacious = documentOf({ Action: 'kms:*' }).replace('{', `{${' '.repeat(4000)}`)
  await putPolicy(root, 'ada', spacious)
  await denied(
    root.iam.send(new DeleteUserCommand({ UserName: 'ada' })),
    'DeleteConflictException',
    409,
    'Cannot delete entity, must delete access keys first.',
  )
  const { accessKeyId: AccessKeyId } = ada.credentials
  await root.iam.send(new DeleteAccessKeyCommand({ UserName: 'ada', AccessKeyId }))
  await denied(
    root.iam.send(new DeleteUserCommand({ UserName: 'ada' })),
    'DeleteConflictException',
    409,
    'Cannot delete entity, must delete policies first.',
  )
})

test('a key policy shows a deleted user by unique id', async (t) => {
  const { root, newUser } = await openIdentities(t)
  const ada = await newUser('ada')
  const { keyId: KeyId } = await makeKey(root.kms)
  const owner = `arn:aws:iam::${accountId}:root`
  const statement = { Effect: 'Allow', Action: 'kms:*', Resource: '*' }
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { ...statement, Principal: { AWS: [owner, ada.arn] } },
      {
        ...statement,
        Principal: { AWS: ada.arn },
        Condition: { ArnNotEquals: { 'aws:PrincipalArn': ada.arn } },
      },
    ],
  })
  await root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
  const shown = async (): Promise<string> =>
    (await root.kms.send(new GetKeyPolicyCommand({ KeyId }))).Policy ?? ''
  assert.equal(await shown(), Policy)
  const { accessKeyId: AccessKeyId } = ada.credentials
  await root.iam.send(new DeleteAccessKeyCommand({ UserName: 'ada', AccessKeyId }))
  await root.iam.send(new DeleteUserCommand({ UserName: 'ada' }))
  await newUser('ada')
  assert.deepEqual(JSON.parse(await shown()), {
    Version: '2012-10-17',
    Statement: [
      { ...statement, Principal: { AWS: [owner, ada.userId] } },
      {
        ...statement,
        Principal: { AWS: ada.userId },
        Condition: { ArnNotEquals: { 'aws:PrincipalArn': ada.arn } },
      },
    ],
  })
  // As at AWS, a policy with a unique id cannot be written back.
  await denied(
    root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy: await shown() })),
    'MalformedPolicyDocumentException',
    400,
    'Policy contains a statement with one or more invalid principals.',
  )
})
