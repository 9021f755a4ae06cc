/** GetSessionToken, GetFederationToken and GetAccessKeyInfo through the official SDK. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateAccessKeyCommand,
  GetUserCommand,
  ListAccessKeysCommand,
  ListUsersCommand,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, EncryptCommand, GenerateRandomCommand } from '@aws-sdk/client-kms'
import {
  AssumeRoleCommand,
  GetAccessKeyInfoCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts'
import { accountId, credentials } from '../harness.ts'
import { credentialsOf, denied, documentOf, notAllowed, openIdentities } from './identities.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'

const random = new GenerateRandomCommand({ NumberOfBytes: 1 })
const invalid = 'The security token included in the request is invalid.'

test('a session of a user has the user’s permissions in KMS, none in IAM, and of STS only a part', async (t) => {
  const { as, newRole, newUser, server } = await openIdentities(t)
  const user = await newUser('worker', { Action: ['kms:GenerateRandom', 'sts:*', 'iam:*'] })
  const trust = { Effect: 'Allow', Principal: { AWS: user.arn }, Action: 'sts:AssumeRole' }
  const role = await newRole('next', trust, { Action: 'kms:CreateKey' })
  const { Credentials } = await user.sts.send(new GetSessionTokenCommand({ DurationSeconds: 900 }))
  const lasts = (Credentials?.Expiration?.getTime() ?? 0) - Date.now()
  assert(lasts > 600_000 && lasts <= 900_000)
  const session = as(credentialsOf(Credentials))
  assert.deepEqual(await session.whoAmI(), await user.whoAmI())
  await session.kms.send(random)
  const create = new CreateKeyCommand({})
  const message = notAllowed(user.arn, 'kms:CreateKey', '*')
  await denied(session.kms.send(create), 'AccessDeniedException', 400, message)
  await denied(session.iam.send(new ListUsersCommand({})), 'InvalidClientTokenId', 403, invalid)
  for (const [name, command] of [
    ['GetSessionToken', new GetSessionTokenCommand({})],
    ['GetFederationToken', new GetFederationTokenCommand({ Name: 'bob' })],
  ] as const) {
    // The two commands have different answers, of which none is read.
    const call = session.sts.send(command as GetSessionTokenCommand)
    await denied(call, 'AccessDenied', 403, `Cannot call ${name} with session credentials`)
  }
  const assumed = await session.sts.send(
    new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: 'from-session' }),
  )
  await as(credentialsOf(assumed.Credentials)).kms.send(create)
  const records = await recordsOf(server.directory)
  const used = records.find(({ eventName }) => eventName === 'GenerateRandom')
  const given = records.find(({ eventName }) => eventName === 'GetSessionToken')
  assert.deepEqual(used?.userIdentity, {
    type: 'IAMUser',
    principalId: user.userId,
    arn: user.arn,
    accountId,
    accessKeyId: Credentials?.AccessKeyId,
    userName: 'worker',
    sessionContext: { attributes: { creationDate: given?.eventTime, mfaAuthenticated: 'false' } },
  })
})

test('a root user’s session lives an hour at most, and is root', async (t) => {
  const { as, root } = await openIdentities(t)
  const { Credentials } = await root.sts.send(
    new GetSessionTokenCommand({ DurationSeconds: 43_200 }),
  )
  assert((Credentials?.Expiration?.getTime() ?? 0) <= Date.now() + 3_600_000)
  const session = as(credentialsOf(Credentials))
  assert.deepEqual(await session.whoAmI(), await root.whoAmI())
  await session.kms.send(new CreateKeyCommand({}))
  await denied(
    root.sts.send(
      new GetSessionTokenCommand({ SerialNumber: 'arn:aws:iam::1:mfa/x', TokenCode: '123456' }),
    ),
    'AccessDenied',
    403,
    'MultiFactorAuthentication failed with invalid MFA one time pass code.',
  )
})

test('a federated user has what his user and his session’s policies both give', async (t) => {
  const { as, newUser, root } = await openIdentities(t)
  const user = await newUser('broker', {
    Action: ['sts:GetFederationToken', 'kms:GenerateRandom', 'kms:ListKeys'],
  })
  const arn = `arn:aws:sts::${accountId}:federated-user/guest`
  const federate = async (Policy?: string) => {
    const answer = await user.sts.send(new GetFederationTokenCommand({ Name: 'guest', Policy }))
    assert.deepEqual(answer.FederatedUser, { FederatedUserId: `${accountId}:guest`, Arn: arn })
    return as(credentialsOf(answer.Credentials))
  }
  const guest = await federate(documentOf({ Action: ['kms:GenerateRandom', 'kms:CreateKey'] }))
  assert.deepEqual(await guest.whoAmI(), {
    UserId: `${accountId}:guest`,
    Account: accountId,
    Arn: arn,
  })
  await guest.kms.send(random)
  const create = guest.kms.send(new CreateKeyCommand({}))
  await denied(create, 'AccessDeniedException', 400, notAllowed(arn, 'kms:CreateKey', '*'))
  const bare = await federate()
  await denied(
    bare.kms.send(random),
    'AccessDeniedException',
    400,
    /because no session policy allows/,
  )
  await denied(bare.iam.send(new ListUsersCommand({})), 'InvalidClientTokenId', 403, invalid)
  // What a key policy gives to the federated user himself, no policy of the session limits.
  const statement = (AWS: string, Action: string) => ({
    Effect: 'Allow',
    Principal: { AWS },
    Action,
    Resource: '*',
  })
  const { keyId: KeyId } = await makeKey(root.kms, {
    BypassPolicyLockoutSafetyCheck: true,
    Policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        statement(`arn:aws:iam::${accountId}:root`, 'kms:PutKeyPolicy'),
        statement(arn, 'kms:Encrypt'),
      ],
    }),
  })
  await bare.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  const other = await newUser('no-broker', { Action: 'kms:*' })
  const refused = other.sts.send(new GetFederationTokenCommand({ Name: 'guest' }))
  const message = notAllowed(other.arn, 'sts:GetFederationToken', arn)
  await denied(refused, 'AccessDenied', 403, message)
})

test('an access key’s account is told, of long-term and of temporary ones', async (t) => {
  const { root } = await openIdentities(t)
  const { Credentials } = await root.sts.send(new GetSessionTokenCommand({}))
  const { accessKeyId } = credentialsOf(Credentials)
  const ask = (AccessKeyId: string) => root.sts.send(new GetAccessKeyInfoCommand({ AccessKeyId }))
  assert.equal((await ask(accessKeyId)).Account, accountId)
  assert.notEqual(accessKeyId, credentials.accessKeyId)
  const message = 'Access key does not exist'
  await denied(ask('AKIAIOSFODNN7EXAMPLE'), 'ValidationError', 400, message)
  await denied(ask('ASIAAAAAAAABAAAAAAAA'), 'ValidationError', 400, message)
})

test('who is no user has to say which user is meant', async (t) => {
  const { as, newRole, newUser } = await openIdentities(t)
  const user = await newUser('admin', { Action: 'sts:AssumeRole' })
  const trust = { Effect: 'Allow', Principal: { AWS: user.arn }, Action: 'sts:AssumeRole' }
  const role = await newRole('admins', trust, { Action: 'iam:*' })
  const command = new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: 'ci' })
  const session = as(credentialsOf((await user.sts.send(command)).Credentials))
  const { User } = await session.iam.send(new GetUserCommand({ UserName: 'admin' }))
  assert.equal(User?.Arn, user.arn)
  const message = 'Must specify userName when calling with non-User credentials'
  const calls = [
    session.iam.send(new GetUserCommand({})),
    session.iam.send(new CreateAccessKeyCommand({})),
    session.iam.send(new ListAccessKeysCommand({})),
  ]
  await Promise.all(calls.map((call) => denied(call, 'ValidationError', 400, message)))
})
