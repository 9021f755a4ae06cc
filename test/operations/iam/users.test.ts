/** Users and their access keys through the official SDK: creation, signatures, and deletion. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  GetUserCommand,
  ListAccessKeysCommand,
  ListUsersCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, EncryptCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import { makeKey } from '../../compat/sdk.ts'
import { denied, newKey, notAllowed, openIdentities, userArnOf } from '../../compat/identities.ts'
import { accountId } from '../../harness.ts'

const gone = 'The security token included in the request is invalid.'

test('a user is created with a path and tags, returned, listed and deleted', async (t) => {
  const { root } = await openIdentities(t)
  const Tags = [{ Key: 'team', Value: 'blue +1' }]
  const made = await root.iam.send(new CreateUserCommand({ UserName: 'Ada', Path: '/a/b/', Tags }))
  assert.match(made.User?.UserId ?? '', /^AIDA[A-Z2-7]{17}$/)
  assert.deepEqual([made.User?.Arn, made.User?.Tags], [userArnOf('a/b/Ada'), Tags])
  const shown = await root.iam.send(new GetUserCommand({ UserName: 'Ada' }))
  assert.deepEqual(shown.User, made.User)
  await root.iam.send(new CreateUserCommand({ UserName: 'bob' }))
  const listed = async (PathPrefix?: string): Promise<unknown> => {
    const { Users, IsTruncated } = await root.iam.send(new ListUsersCommand({ PathPrefix }))
    assert.equal(IsTruncated, false)
    return Users?.map(({ UserName }) => UserName)
  }
  assert.deepEqual(await listed(), ['Ada', 'bob'])
  assert.deepEqual(await listed('/a/'), ['Ada'])
  assert.deepEqual(await listed('/c/'), [])
  await root.iam.send(new DeleteUserCommand({ UserName: 'Ada' }))
  const again = root.iam.send(new GetUserCommand({ UserName: 'Ada' }))
  await denied(again, 'NoSuchEntityException', 404, 'The user with name Ada cannot be found.')
  const account = await root.iam.send(new GetUserCommand({}))
  assert.deepEqual([account.User?.UserId, account.User?.UserName], [accountId, undefined])
})

test('users are listed in pages, and a marker is valid only for its own list', async (t) => {
  const { root } = await openIdentities(t)
  for (const UserName of ['c', 'a', 'b']) await root.iam.send(new CreateUserCommand({ UserName }))
  const names: unknown[] = []
  let Marker: string | undefined
  do {
    const page = await root.iam.send(new ListUsersCommand({ MaxItems: 2, Marker }))
    names.push(page.Users?.map(({ UserName }) => UserName))
    Marker = page.Marker
    assert.equal(page.IsTruncated, Marker !== undefined)
    if (Marker !== undefined) {
      const other = root.iam.send(new ListUsersCommand({ PathPrefix: '/x/', Marker }))
      await denied(other, 'ValidationError', 400, 'Invalid Marker.')
    }
  } while (Marker !== undefined)
  assert.deepEqual(names, [['a', 'b'], ['c']])
})

test('names, paths and tags that AWS refuses are refused', async (t) => {
  const { root } = await openIdentities(t)
  const make = (input: ConstructorParameters<typeof CreateUserCommand>[0]): Promise<unknown> =>
    root.iam.send(new CreateUserCommand(input))
  await make({ UserName: 'Ada' })
  const taken = 'User with name ADA already exists.'
  await denied(make({ UserName: 'ADA' }), 'EntityAlreadyExistsException', 409, taken)
  const words =
    'The specified value for userName is invalid. ' +
    'It must contain only alphanumeric characters and/or the following: +=,.@_-'
  await denied(make({ UserName: 'a b' }), 'ValidationError', 400, words)
  await denied(make({ UserName: '<a>' }), 'ValidationError', 400, words)
  const long = 'a'.repeat(65)
  const tooLong =
    `1 validation error detected: Value '${long}' at 'userName' failed to satisfy constraint: ` +
    'Member must have length less than or equal to 64'
  await denied(make({ UserName: long }), 'ValidationError', 400, tooLong)
  await denied(make({ UserName: 'b', Path: 'x' }), 'ValidationError', 400, /path is invalid/)
  const twice = [
    { Key: 'a', Value: '' },
    { Key: 'A', Value: '' },
  ]
  const tagWords = 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'
  await denied(make({ UserName: 'b', Tags: twice }), 'InvalidInputException', 400, tagWords)
  const boundary = make({
    UserName: 'b',
    PermissionsBoundary: `arn:aws:iam::${accountId}:policy/p`,
  })
  await denied(boundary, 'NoSuchEntityException', 404, /does not exist or is not attachable/)
})

test('a user signs with its access keys, whose secrets appear only in the answers that create them', async (t) => {
  const { server, root, as, newUser } = await openIdentities(t)
  const ada = await newUser('ada', undefined, '/ops/')
  assert.match(ada.credentials.accessKeyId, /^AKIA[A-Z2-7]{16}$/)
  assert.match(ada.credentials.secretAccessKey, /^[A-Za-z0-9+/]{40}$/)
  assert.deepEqual(await ada.whoAmI(), {
    UserId: ada.userId,
    Account: accountId,
    Arn: userArnOf('ops/ada'),
  })
  const second = await newKey(root, 'ada')
  assert.deepEqual(await as(second).whoAmI(), await ada.whoAmI())
  const third = root.iam.send(new CreateAccessKeyCommand({ UserName: 'ada' }))
  const quota = 'Cannot exceed quota for AccessKeysPerUser: 2'
  await denied(third, 'LimitExceededException', 409, quota)
  const { AccessKeyMetadata } = await root.iam.send(new ListAccessKeysCommand({ UserName: 'ada' }))
  assert.deepEqual(
    new Set(AccessKeyMetadata?.map(({ AccessKeyId }) => AccessKeyId)),
    new Set([second.accessKeyId, ada.credentials.accessKeyId]),
  )
  assert.ok(!JSON.stringify(AccessKeyMetadata).includes('Secret'))
  let written = server.logged.join('\n')
  for (const file of await readdir(server.directory, { recursive: true, withFileTypes: true })) {
    if (file.isFile()) written += await readFile(join(file.parentPath, file.name), 'latin1')
  }
  assert.ok(written.includes(second.accessKeyId))
  for (const { secretAccessKey } of [second, ada.credentials])
    assert.ok(!written.includes(secretAccessKey))
  const wrong = as({ ...second, secretAccessKey: ada.credentials.secretAccessKey })
  await denied(wrong.whoAmI(), 'SignatureDoesNotMatch', 403, /does not match/)
})

test('requests of an inactive or deleted access key are refused from the next one on', async (t) => {
  const { root, newUser } = await openIdentities(t)
  const ada = await newUser('ada')
  const { accessKeyId: AccessKeyId } = ada.credentials
  const set = (Status: 'Active' | 'Inactive'): Promise<unknown> =>
    root.iam.send(new UpdateAccessKeyCommand({ UserName: 'ada', AccessKeyId, Status }))
  await ada.whoAmI()
  await set('Inactive')
  await denied(ada.whoAmI(), 'InvalidClientTokenId', 403, gone)
  await set('Active')
  await ada.whoAmI()
  const end = (): Promise<unknown> =>
    root.iam.send(new DeleteAccessKeyCommand({ UserName: 'ada', AccessKeyId }))
  const conflict = 'Cannot delete entity, must delete access keys first.'
  const early = root.iam.send(new DeleteUserCommand({ UserName: 'ada' }))
  await denied(early, 'DeleteConflictException', 409, conflict)
  await end()
  await denied(ada.whoAmI(), 'InvalidClientTokenId', 403, gone)
  await denied(end(), 'NoSuchEntityException', 404, /Access Key with id .* cannot be found/)
  await root.iam.send(new DeleteUserCommand({ UserName: 'ada' }))
})

test('a call cannot change a key of another user than it names, nor of the root user', async (t) => {
  const { root, newUser } = await openIdentities(t)
  const ada = await newUser('ada')
  await root.iam.send(new CreateUserCommand({ UserName: 'bob' }))
  const { accessKeyId: AccessKeyId } = ada.credentials
  const change = new UpdateAccessKeyCommand({ UserName: 'bob', AccessKeyId, Status: 'Inactive' })
  await denied(root.iam.send(change), 'NoSuchEntityException', 404, /cannot be found/)
  await ada.whoAmI()
  await denied(newKey(root), 'InvalidInputException', 400, /settings/)
  const own = await root.iam.send(new ListAccessKeysCommand({}))
  assert.deepEqual(
    own.AccessKeyMetadata?.map(({ AccessKeyId: id }) => id),
    [root.credentials.accessKeyId],
  )
})

test('a user without policies is refused everything, with AWS’s messages', async (t) => {
  const { newUser, root } = await openIdentities(t)
  const ada = await newUser('ada', undefined, '/ops/')
  const refuses = (call: Promise<unknown>, action: string, resource: string): Promise<void> =>
    denied(call, 'AccessDenied', 403, notAllowed(ada.arn, action, resource))
  await refuses(ada.iam.send(new GetUserCommand({ UserName: 'ada' })), 'iam:GetUser', 'user ada')
  await refuses(ada.iam.send(new GetUserCommand({ UserName: 'no' })), 'iam:GetUser', 'user no')
  await refuses(ada.iam.send(new GetUserCommand({})), 'iam:GetUser', ada.arn)
  const make = ada.iam.send(new CreateUserCommand({ UserName: 'eve', Path: '/x/' }))
  await refuses(make, 'iam:CreateUser', userArnOf('x/eve'))
  await refuses(ada.iam.send(new ListUsersCommand({})), 'iam:ListUsers', userArnOf(''))
  await refuses(newKey(ada, 'ada'), 'iam:CreateAccessKey', 'user ada')
  const kms = notAllowed(ada.arn, 'kms:CreateKey', '*')
  await denied(ada.kms.send(new CreateKeyCommand({})), 'AccessDeniedException', 400, kms)
  const { Users } = await root.iam.send(new ListUsersCommand({}))
  assert.equal(Users?.length, 1)
})

test('a key policy that names a user allows it to use the key, but not its namesake', async (t) => {
  const { root, newUser } = await openIdentities(t)
  const ada = await newUser('ada', undefined, '/ops/')
  const { keyId: KeyId, arn } = await makeKey(root.kms)
  const encrypt = (kms = ada.kms): Promise<unknown> =>
    kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  await denied(encrypt(), 'AccessDeniedException', 400, notAllowed(ada.arn, 'kms:Encrypt', arn))
  const policyFor = (principal: string): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${accountId}:root` },
          Action: 'kms:*',
          Resource: '*',
        },
        { Effect: 'Allow', Principal: { AWS: principal }, Action: 'kms:Encrypt', Resource: '*' },
      ],
    })
  const put = (principal: string): Promise<unknown> =>
    root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policyFor(principal) }))
  const nobody = 'Policy contains a statement with one or more invalid principals.'
  for (const principal of [userArnOf('ada'), userArnOf('ops/eve'), userArnOf('ops/Ada')]) {
    await denied(put(principal), 'MalformedPolicyDocumentException', 400, nobody)
  }
  await put(ada.arn)
  await encrypt()
  const { accessKeyId: AccessKeyId } = ada.credentials
  await root.iam.send(new DeleteAccessKeyCommand({ UserName: 'ada', AccessKeyId }))
  await root.iam.send(new DeleteUserCommand({ UserName: 'ada' }))
  const namesake = await newUser('ada', undefined, '/ops/')
  assert.equal(namesake.arn, ada.arn)
  await denied(encrypt(namesake.kms), 'AccessDeniedException', 400, /no identity-based policy/)
})
