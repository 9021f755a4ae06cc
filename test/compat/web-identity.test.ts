/** Workloads that bring a token of their own provider instead of an access key: through the SDK. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { AddClientIDToOpenIDConnectProviderCommand } from '@aws-sdk/client-iam'
import { EncryptCommand, GenerateRandomCommand } from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { audience } from '../authenticate/issuer.ts'
import { accountId } from '../harness.ts'
import { credentialsOf, denied, documentOf } from './identities.ts'
import { startRealProvider } from './real-provider.ts'
import { recordsOf, recordTexts } from './records.ts'
import { makeKey } from './sdk.ts'
import { nameOf, openWebIdentities } from './web-identities.ts'

const real = await startRealProvider()
after(() => real.close())
const identities = await openWebIdentities({ after }, [real.host])
const { issuer, providerArn, roleArn, newProvider, newTrusted, assume } = identities

test('whoever has a token of a registered provider gets the session of a role that trusts it', async () => {
  const { keyId: KeyId } = await makeKey(identities.root.kms)
  const token = await issuer.sign({ amr: ['mfa'] })
  const answer = await assume(token)
  const Arn = `arn:aws:sts::${accountId}:assumed-role/job/ci`
  assert.deepEqual(
    [
      answer.SubjectFromWebIdentityToken,
      answer.Provider,
      answer.Audience,
      answer.AssumedRoleUser?.Arn,
    ],
    ['job-1', providerArn, audience, Arn],
  )
  const session = identities.as(credentialsOf(answer.Credentials))
  const { Arn: told } = (await session.whoAmI()) as { readonly Arn: string }
  assert.equal(told, Arn)
  await session.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  const records = await recordsOf(identities.server.directory)
  const record = records.findLast(({ eventName }) => eventName === 'AssumeRoleWithWebIdentity')
  assert.deepEqual(record?.userIdentity, {
    type: 'WebIdentityUser',
    principalId: `${providerArn}:${audience}:job-1`,
    userName: 'job-1',
    identityProvider: providerArn,
  })
  assert.deepEqual(record.requestParameters, { roleArn, roleSessionName: 'ci' })
  assert.equal(record.recipientAccountId, accountId)
  const text = (await recordTexts(identities.server.directory)).join('\n')
  assert(!text.includes(token) && !text.includes(token.split('.')[2] ?? ''))
  assert(!text.includes(answer.Credentials?.SessionToken ?? 'x'))
})

test('a real provider’s token gets in', async () => {
  const arn = await newProvider(real.url, [real.audience])
  const RoleArn = await newTrusted('real', arn, {
    StringEquals: { [`${nameOf(real)}:sub`]: real.subject },
  })
  const answer = await assume(await real.token(), { RoleArn })
  const session = identities.as(credentialsOf(answer.Credentials))
  await session.kms.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))
})

const notAuthorized = 'Not authorized to perform sts:AssumeRoleWithWebIdentity'

test('a token gets into the roles that trust its subject and its audience, and into no other', async () => {
  await identities.root.iam.send(
    new AddClientIDToOpenIDConnectProviderCommand({
      OpenIDConnectProviderArn: providerArn,
      ClientID: 'other',
    }),
  )
  await denied(assume(await issuer.sign({ sub: 'x' })), 'AccessDenied', 403, notAuthorized)
  await denied(assume(await issuer.sign({ aud: 'other' })), 'AccessDenied', 403, notAuthorized)
  const unaware = await identities.newRole('plain', {
    Effect: 'Allow',
    Principal: { AWS: accountId },
    Action: 'sts:*',
  })
  const anybody = await identities.newRole('anybody', {
    Effect: 'Allow',
    Principal: { AWS: '*' },
    Action: 'sts:*',
  })
  const token = await issuer.sign()
  const nowhere = `arn:aws:iam::${accountId}:role/nowhere`
  for (const RoleArn of [unaware.arn, anybody.arn, nowhere]) {
    await denied(assume(token, { RoleArn }), 'AccessDenied', 403, notAuthorized)
  }
  await assume(token)
})

test('claims are condition keys, those of several values too', async () => {
  const name = nameOf(issuer)
  const RoleArn = await newTrusted('claims', providerArn, {
    StringEquals: { [`${name}:repository`]: 'a/b' },
    'ForAnyValue:StringEquals': { [`${name}:amr`]: 'mfa' },
    Bool: { [`${name}:protected`]: 'true' },
  })
  const good = { repository: 'a/b', amr: ['pwd', 'mfa'], protected: true }
  await assume(await issuer.sign(good), { RoleArn })
  for (const wrong of [{ repository: 'a/c' }, { amr: ['pwd'] }, { protected: false }]) {
    const token = await issuer.sign({ ...good, ...wrong })
    await denied(assume(token, { RoleArn }), 'AccessDenied', 403, notAuthorized)
  }
})

test('a session is known by its provider, its audience and its subject', async () => {
  const name = nameOf(issuer)
  const { arn: RoleArn } = await identities.newRole(
    'known',
    {
      Effect: 'Allow',
      Principal: { Federated: providerArn },
      Action: 'sts:AssumeRoleWithWebIdentity',
    },
    {
      Action: 'kms:GenerateRandom',
      Condition: {
        StringEquals: {
          'aws:FederatedProvider': providerArn,
          [`${name}:aud`]: audience,
          [`${name}:sub`]: 'job-1',
        },
      },
    },
  )
  const as = async (sub: string): Promise<unknown> => {
    const { Credentials } = await assume(await issuer.sign({ sub }), { RoleArn })
    const { kms } = identities.as(credentialsOf(Credentials))
    return kms.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))
  }
  await as('job-1')
  await assert.rejects(as('job-2'), { name: 'AccessDeniedException' })
})

test('tags of a token need the trust policy’s leave, and are the session’s', async () => {
  const tags = { principal_tags: { team: ['blue'] }, transitive_tag_keys: ['team'] }
  const token = await issuer.sign({ 'https://aws.amazon.com/tags': tags })
  const refusal = 'Not authorized to perform sts:TagSession'
  await denied(assume(token), 'AccessDenied', 403, refusal)
  const { arn: RoleArn } = await identities.newRole(
    'tagged',
    {
      Effect: 'Allow',
      Principal: { Federated: providerArn },
      Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'],
      Condition: { StringEquals: { 'aws:RequestTag/team': 'blue' } },
    },
    {
      Action: ['kms:*', 'sts:*'],
      Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue' } },
    },
  )
  const { Credentials } = await assume(token, { RoleArn })
  const session = identities.as(credentialsOf(Credentials))
  await session.kms.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))
  // A chain begins with such a session as with any, and hands its tag on.
  const next = await identities.newRole(
    'next',
    {
      Effect: 'Allow',
      Principal: { AWS: RoleArn },
      Action: ['sts:AssumeRole', 'sts:TagSession'],
    },
    { Action: 'kms:*', Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue' } } },
  )
  const chained = await session.sts.send(
    new AssumeRoleCommand({ RoleArn: next.arn, RoleSessionName: 'on' }),
  )
  const { kms } = identities.as(credentialsOf(chained.Credentials))
  await kms.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))
})

test('a session policy and a duration limit the session; a longer one than the role’s is refused', async () => {
  const token = await issuer.sign()
  const Policy = documentOf({ Action: 'kms:ListKeys' })
  const limited = await assume(token, { Policy, DurationSeconds: 900 })
  const left = (limited.Credentials?.Expiration?.getTime() ?? 0) - Date.now()
  assert(left > 800_000 && left <= 900_000)
  const { kms } = identities.as(credentialsOf(limited.Credentials))
  const random = kms.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))
  await assert.rejects(random, { name: 'AccessDeniedException' })
  await denied(
    assume(token, { DurationSeconds: 7200 }),
    'ValidationError',
    400,
    'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
  )
})
