/** AssumeRole through the official SDK: who may, as whom, for how long, and what ends it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateKeyCommand, EncryptCommand, GenerateRandomCommand } from '@aws-sdk/client-kms'
import { AssumeRoleCommand, type AssumeRoleCommandInput } from '@aws-sdk/client-sts'
import { auditDate } from '../../src/model/audit-date.ts'
import { accountId } from '../harness.ts'
import { credentialsOf, denied, documentOf, openIdentities, type Signed } from './identities.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'

const random = new GenerateRandomCommand({ NumberOfBytes: 1 })
const anybody = { AWS: `arn:aws:iam::${accountId}:root` }
const trustAll = {
  Effect: 'Allow',
  Principal: anybody,
  Action: ['sts:AssumeRole', 'sts:TagSession'],
}
const mayAssume = { Action: ['sts:*'] }

async function assume(by: Signed, RoleArn: string, more: Partial<AssumeRoleCommandInput> = {}) {
  return by.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'ci', ...more }))
}

const sessionArn = (role: string, session = 'ci'): string =>
  `arn:aws:sts::${accountId}:assumed-role/${role}/${session}`

function refusal(caller: string, role: string, action = 'sts:AssumeRole'): string {
  return `User: ${caller} is not authorized to perform: ${action} on resource: ${role}`
}

test('a role is assumed, calls with its permissions alone, and is recorded as itself', async (t) => {
  const { as, newRole, newUser, server } = await openIdentities(t)
  const user = await newUser('builder', { Action: ['sts:AssumeRole', 'kms:CreateKey'] })
  const role = await newRole('ops', trustAll, { Action: 'kms:GenerateRandom' }, { Path: '/a/' })
  const made = await assume(user, role.arn, { DurationSeconds: 900 })
  const { Credentials, AssumedRoleUser, SessionTokenSize, SessionTokenUtilization } = made
  assert.deepEqual(AssumedRoleUser, {
    AssumedRoleId: `${role.roleId}:ci`,
    Arn: sessionArn('ops'),
  })
  assert.match(Credentials?.AccessKeyId ?? '', /^ASIA[A-Z2-7]{16}$/)
  assert((Credentials?.SessionToken?.length ?? 0) <= 4096)
  const session = as(credentialsOf(Credentials))
  assert.deepEqual(await session.whoAmI(), {
    UserId: `${role.roleId}:ci`,
    Account: accountId,
    Arn: sessionArn('ops'),
  })
  await session.kms.send(random)
  await denied(
    session.kms.send(new CreateKeyCommand({})),
    'AccessDeniedException',
    400,
    `User: ${sessionArn('ops')} is not authorized to perform: kms:CreateKey on resource: * because ` +
      'no identity-based policy allows the kms:CreateKey action',
  )
  const records = await recordsOf(server.directory)
  const recorded = records.find(({ eventName }) => eventName === 'AssumeRole')
  assert.deepEqual(recorded?.requestParameters, {
    roleArn: role.arn,
    roleSessionName: 'ci',
    durationSeconds: 900,
  })
  assert.deepEqual(recorded.responseElements, {
    credentials: {
      accessKeyId: Credentials?.AccessKeyId,
      expiration: auditDate(Credentials?.Expiration ?? new Date(NaN)),
    },
    assumedRoleUser: { assumedRoleId: `${role.roleId}:ci`, arn: sessionArn('ops') },
    sessionTokenUtilization: SessionTokenUtilization,
    sessionTokenSize: SessionTokenSize,
  })
  assert.equal(SessionTokenSize, Credentials?.SessionToken?.length)
  assert.deepEqual(recorded.resources, [{ accountId, type: 'AWS::IAM::Role', ARN: role.arn }])
  const used = records.find(({ eventName }) => eventName === 'GenerateRandom')
  assert.deepEqual(used?.userIdentity, {
    type: 'AssumedRole',
    principalId: `${role.roleId}:ci`,
    arn: sessionArn('ops'),
    accountId,
    accessKeyId: Credentials?.AccessKeyId,
    sessionContext: {
      sessionIssuer: {
        type: 'Role',
        principalId: role.roleId,
        arn: role.arn,
        accountId,
        userName: 'ops',
      },
      attributes: { creationDate: recorded.eventTime, mfaAuthenticated: 'false' },
    },
  })
})

test('both the trust policy and the caller’s own account must allow, and neither tells of a role', async (t) => {
  const { newRole, newUser, root } = await openIdentities(t)
  const may = await newUser('may', mayAssume)
  const mayNot = await newUser('may-not', { Action: 'kms:*' })
  const open = await newRole('open', trustAll)
  const named = await newRole('named', { ...trustAll, Principal: { AWS: mayNot.arn } })
  await assume(may, open.arn)
  // Named itself, in its own account, it needs no policy of its own.
  await assume(mayNot, named.arn)
  const absent = `arn:aws:iam::${accountId}:role/absent`
  const foreign = 'arn:aws:iam::999999999999:role/open'
  const elsewhere = `arn:aws:iam::${accountId}:role/path/open`
  for (const [by, arn] of [
    [mayNot, open.arn],
    [may, named.arn],
    [may, absent],
    [may, foreign],
    [may, elsewhere],
  ] as const) {
    await denied(assume(by, arn), 'AccessDenied', 403, refusal(by.arn, arn))
  }
  const asRoot = 'Roles may not be assumed by root accounts.'
  await denied(assume(root, open.arn), 'AccessDenied', 403, asRoot)
  for (const wrong of [
    'arn:aws:iam::111122223333:user/open',
    'arn:aws-cn:iam::111122223333:role/x',
  ]) {
    await denied(assume(may, wrong), 'ValidationError', 400, `${wrong} is invalid`)
  }
})

test('conditions of the trust policy see the external id, the session’s name and its tags', async (t) => {
  const { newRole, newUser } = await openIdentities(t)
  const user = await newUser('partner', mayAssume)
  const { arn } = await newRole('guarded', {
    ...trustAll,
    Condition: {
      StringEquals: { 'sts:ExternalId': 'secret handshake/7'.replaceAll(' ', '-') },
      StringLike: { 'sts:RoleSessionName': 'job-*', 'aws:RequestTag/team': 'blue' },
      'ForAllValues:StringEquals': { 'aws:TagKeys': ['team'] },
    },
  })
  const right = {
    ExternalId: 'secret-handshake/7',
    RoleSessionName: 'job-1',
    Tags: [{ Key: 'team', Value: 'blue' }],
  }
  await assume(user, arn, right)
  for (const wrong of [
    { ExternalId: undefined },
    { ExternalId: 'secret-handshake/8' },
    { RoleSessionName: 'ci' },
    { Tags: undefined },
    { Tags: [{ Key: 'team', Value: 'red' }] },
    { Tags: [...right.Tags, { Key: 'more', Value: '' }] },
  ]) {
    await denied(
      assume(user, arn, { ...right, ...wrong }),
      'AccessDenied',
      403,
      refusal(user.arn, arn),
    )
  }
})

test('session policies take away, session tags are the principal’s, and a key policy that names the session stands above them', async (t) => {
  const { as, newRole, newUser, root } = await openIdentities(t)
  const user = await newUser('deployer', mayAssume)
  const role = await newRole(
    'wide',
    trustAll,
    { Action: 'kms:*' },
    { Tags: [{ Key: 'Team', Value: 'none' }] },
  )
  const Policy = documentOf({
    Action: 'kms:GenerateRandom',
    Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue' } },
  })
  const Tags = [{ Key: 'team', Value: 'blue' }]
  const packed = await assume(user, role.arn, { Policy, Tags })
  assert((packed.PackedPolicySize ?? 0) > 0 && (packed.PackedPolicySize ?? 0) < 100)
  const limited = as(credentialsOf(packed.Credentials))
  await limited.kms.send(random)
  const says = (action: string): string =>
    `User: ${sessionArn('wide')} is not authorized to perform: ${action} on resource: * because no ` +
    `session policy allows the ${action} action`
  await denied(
    limited.kms.send(new CreateKeyCommand({})),
    'AccessDeniedException',
    400,
    says('kms:CreateKey'),
  )
  const untagged = as(credentialsOf((await assume(user, role.arn, { Policy })).Credentials))
  await denied(untagged.kms.send(random), 'AccessDeniedException', 400, says('kms:GenerateRandom'))
  const statement = (AWS: string, Action: string) => ({
    Effect: 'Allow',
    Principal: { AWS },
    Action,
    Resource: '*',
  })
  const key = await makeKey(root.kms, {
    Policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        statement(anybody.AWS, 'kms:PutKeyPolicy'),
        statement(role.arn, 'kms:GenerateDataKey'),
        statement(sessionArn('wide'), 'kms:Encrypt'),
      ],
    }),
  })
  const encrypt = new EncryptCommand({ KeyId: key.arn, Plaintext: Buffer.from('x') })
  await limited.kms.send(encrypt)
  const other = as(
    credentialsOf((await assume(user, role.arn, { Policy, RoleSessionName: 'other' })).Credentials),
  )
  await denied(
    other.kms.send(encrypt),
    'AccessDeniedException',
    400,
    /no resource-based policy|no session policy/,
  )
  const tooMuch = assume(user, role.arn, {
    Tags: Array.from({ length: 50 }, (_, index) => ({
      Key: `${index}-${crypto.randomUUID()}`,
      Value: Array.from({ length: 6 }, () => crypto.randomUUID()).join('-'),
    })),
  })
  await denied(
    tooMuch,
    'PackedPolicyTooLargeException',
    400,
    /^Packed size of session tags and policies consumes \d+% of allotted space\.$/,
  )
})

test('a chain hands on what is transitive, never for more than an hour', async (t) => {
  const { as, newRole, newUser } = await openIdentities(t)
  const user = await newUser('first', mayAssume)
  const chain = { Action: ['sts:*', 'kms:GenerateRandom'], Condition: {} }
  const trust = { ...trustAll, Action: 'sts:*' }
  const one = await newRole('one', trust, chain, { MaxSessionDuration: 43_200 })
  const two = await newRole(
    'two',
    trust,
    {
      Action: 'kms:GenerateRandom',
      Condition: {
        StringEquals: { 'aws:PrincipalTag/project': 'x', 'aws:SourceIdentity': 'alice' },
        Null: { 'aws:PrincipalTag/other': 'true' },
      },
    },
    { MaxSessionDuration: 43_200 },
  )
  const first = await assume(user, one.arn, {
    DurationSeconds: 43_200,
    Tags: [
      { Key: 'project', Value: 'x' },
      { Key: 'other', Value: 'y' },
    ],
    TransitiveTagKeys: ['project'],
    SourceIdentity: 'alice',
  })
  assert.equal(first.SourceIdentity, 'alice')
  const asOne = as(credentialsOf(first.Credentials))
  const second = await assume(asOne, two.arn)
  assert.equal(second.SourceIdentity, 'alice')
  await as(credentialsOf(second.Credentials)).kms.send(random)
  const invalid = (more: Partial<AssumeRoleCommandInput>, message: string | RegExp) =>
    denied(assume(asOne, two.arn, more), 'ValidationError', 400, message)
  await invalid({ DurationSeconds: 3601 }, /exceeds the 1 hour session limit/)
  await invalid({ Tags: [{ Key: 'Project', Value: 'z' }] }, /conflicts with a transitive tag key/)
  await invalid({ SourceIdentity: 'bob' }, 'The source identity of a session cannot be changed.')
  const short = await newRole('short', trust)
  await denied(
    assume(user, short.arn, { DurationSeconds: 3601 }),
    'ValidationError',
    400,
    /MaxSessionDuration/,
  )
})
