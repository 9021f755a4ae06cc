/** What ends a session, and whose its token is: through the official SDK. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  PutRolePolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import { GenerateRandomCommand } from '@aws-sdk/client-kms'
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts'
import { callOperator } from '../../src/operator/client.ts'
import { accountId } from '../harness.ts'
import { credentialsOf, denied, documentOf, openIdentities, type Signed } from './identities.ts'
import { recordsOf } from './records.ts'
import { advance } from './test-clock.ts'

const random = new GenerateRandomCommand({ NumberOfBytes: 1 })
const trustAll = {
  Effect: 'Allow',
  Principal: { AWS: `arn:aws:iam::${accountId}:root` },
  Action: 'sts:AssumeRole',
}
const mayAssume = { Action: ['sts:*'] }

function assume(by: Signed, RoleArn: string, more: Partial<AssumeRoleCommandInput> = {}) {
  return by.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'ci', ...more }))
}

test('a session ends with its time, its role, and the access key behind it; a namesake inherits nothing', async (t) => {
  const { as, newRole, newUser, root, server } = await openIdentities(t, { TRENT_TEST_API: 'on' })
  const user = await newUser('maker', mayAssume)
  const use = { Action: 'kms:GenerateRandom' }
  const { arn } = await newRole('brief', trustAll, use)
  const open = async (more?: Partial<AssumeRoleCommandInput>): Promise<Signed> =>
    as(credentialsOf((await assume(user, arn, more)).Credentials))
  const invalid = 'The security token included in the request is invalid.'

  const cut = await open()
  await cut.kms.send(random)
  const key = { UserName: 'maker', AccessKeyId: user.credentials.accessKeyId }
  await root.iam.send(new UpdateAccessKeyCommand({ ...key, Status: 'Inactive' }))
  await denied(cut.kms.send(random), 'UnrecognizedClientException', 400, invalid)
  await root.iam.send(new UpdateAccessKeyCommand({ ...key, Status: 'Active' }))
  await cut.kms.send(random)

  // The present policies of the role are what is asked.
  await root.iam.send(new DeleteRolePolicyCommand({ RoleName: 'brief', PolicyName: 'own' }))
  await denied(cut.kms.send(random), 'AccessDeniedException', 400, /no identity-based policy/)
  const PolicyDocument = documentOf(use)
  const own = { RoleName: 'brief', PolicyName: 'own', PolicyDocument }
  await root.iam.send(new PutRolePolicyCommand(own))
  await cut.kms.send(random)

  await root.iam.send(new DeleteRolePolicyCommand({ RoleName: 'brief', PolicyName: 'own' }))
  await root.iam.send(new DeleteRoleCommand({ RoleName: 'brief' }))
  await denied(cut.kms.send(random), 'UnrecognizedClientException', 400, invalid)
  await newRole('brief', trustAll, use)
  await denied(cut.kms.send(random), 'UnrecognizedClientException', 400, invalid)

  const timed = await open({ DurationSeconds: 900 })
  await timed.kms.send(random)
  await advance(server.url, '900s')
  const expired = 'The security token included in the request is expired'
  await denied(timed.kms.send(random), 'ExpiredTokenException', 400, expired)
  await denied(timed.whoAmI(), 'ExpiredToken', 403, expired)
})

test('sessions are revoked by the operator, those of a role, of a user and of its federated users', async (t) => {
  const { as, newRole, newUser, server } = await openIdentities(t)
  const statement = { Action: ['sts:*', 'kms:GenerateRandom'] }
  const user = await newUser('maker', statement)
  const [one, other] = [
    await newRole('one', trustAll, { Action: 'kms:GenerateRandom' }),
    await newRole('other', trustAll, { Action: 'kms:GenerateRandom' }),
  ]
  const ofRole = async ({ arn }: { readonly arn: string }): Promise<Signed> =>
    as(credentialsOf((await assume(user, arn)).Credentials))
  const ofUser = async (): Promise<Signed> =>
    as(credentialsOf((await user.sts.send(new GetSessionTokenCommand({}))).Credentials))
  const guest = new GetFederationTokenCommand({ Name: 'guest', Policy: documentOf(statement) })
  const ofGuest = async (): Promise<Signed> =>
    as(credentialsOf((await user.sts.send(guest)).Credentials))
  const invalid = 'The security token included in the request is invalid.'
  const holds = ({ kms }: Signed): Promise<unknown> => kms.send(random)
  const ended = ({ kms }: Signed): Promise<void> =>
    denied(kms.send(random), 'UnrecognizedClientException', 400, invalid)
  const revoke = (principalArn: string): Promise<unknown> =>
    callOperator(server.directory, 'RevokeSessions', { principalArn })

  const [first, untouched, own, guests] = [
    await ofRole(one),
    await ofRole(other),
    await ofUser(),
    await ofGuest(),
  ]
  for (const session of [first, untouched, own, guests]) await holds(session)
  await revoke(one.arn)
  await ended(first)
  for (const session of [untouched, own, guests, await ofRole(one)]) await holds(session)
  await revoke(user.arn)
  for (const session of [own, guests]) await ended(session)
  // A role's session is the role's, whoever asked for it; and a long-term key is no session.
  for (const session of [untouched, user, await ofUser(), await ofGuest()]) await holds(session)

  const nobody = `arn:aws:iam::${accountId}:user/nobody`
  for (const arn of [nobody, `arn:aws:iam::${accountId}:root`]) {
    await assert.rejects(revoke(arn), { message: /There is no user and no role/ })
  }
  const [record] = (await recordsOf(server.directory)).filter(
    ({ eventName }) => eventName === 'RevokeSessions',
  )
  assert.deepEqual(record?.requestParameters, { principalArn: one.arn })
})

test('sessions are revoked as at AWS, by an inline policy on the time of their issue', async (t) => {
  const { as, newRole, newUser, root, server } = await openIdentities(t, { TRENT_TEST_API: 'on' })
  const user = await newUser('maker', mayAssume)
  const { arn } = await newRole('leaked', trustAll, { Action: 'kms:GenerateRandom' })
  const open = async (): Promise<Signed> => as(credentialsOf((await assume(user, arn)).Credentials))
  const before = await open()
  const revokedAt = new Date(await advance(server.url, '2s')).toISOString()
  const PolicyDocument = documentOf({
    Effect: 'Deny',
    Action: '*',
    Condition: { DateLessThan: { 'aws:TokenIssueTime': revokedAt } },
  })
  const revoking = { RoleName: 'leaked', PolicyName: 'AWSRevokeOlderSessions', PolicyDocument }
  await root.iam.send(new PutRolePolicyCommand(revoking))
  const explicit = /with an explicit deny in an identity-based policy$/
  await denied(before.kms.send(random), 'AccessDeniedException', 400, explicit)
  await advance(server.url, '2s')
  await (await open()).kms.send(random)
})

test('a token is nobody’s but its own access key’s, in any byte', async (t) => {
  const { as, newRole, newUser } = await openIdentities(t)
  const user = await newUser('signer', mayAssume)
  const { arn } = await newRole('target', trustAll, { Action: 'kms:*' })
  const one = credentialsOf((await assume(user, arn)).Credentials)
  const two = credentialsOf((await assume(user, arn)).Credentials)
  const invalid = 'The security token included in the request is invalid.'
  const refused = async (given: Parameters<typeof as>[0]): Promise<void> => {
    const { kms } = as(given)
    await denied(kms.send(random), 'UnrecognizedClientException', 400, invalid)
    kms.destroy()
  }
  await as(one).kms.send(random)
  await refused({ ...one, sessionToken: two.sessionToken })
  await refused({ ...two, secretAccessKey: one.secretAccessKey, sessionToken: one.sessionToken })
  await refused({ accessKeyId: one.accessKeyId, secretAccessKey: one.secretAccessKey })
  await refused({ ...user.credentials, sessionToken: one.sessionToken })
  await refused({ ...one, sessionToken: `${one.sessionToken}A` })
  await refused({ ...one, sessionToken: 'A'.repeat(5000) })
  const { sessionToken } = one
  for (let at = 0; at < sessionToken.length; at += 7) {
    const other = sessionToken[at] === 'A' ? 'B' : 'A'
    await refused({
      ...one,
      sessionToken: sessionToken.slice(0, at) + other + sessionToken.slice(at + 1),
    })
  }
})
