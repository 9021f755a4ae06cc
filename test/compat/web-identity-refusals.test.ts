/** Tokens, and providers, that let nobody in: through the SDK. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  DeleteOpenIDConnectProviderCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { GenerateRandomCommand } from '@aws-sdk/client-kms'
import type { JWTPayload } from 'jose'
import { audience, newPair, startIssuer, type Issuer } from '../authenticate/issuer.ts'
import { otherAccountId } from './accounts.ts'
import { credentialsOf, denied } from './identities.ts'
import { recordsOf } from './records.ts'
import { nameOf, openWebIdentities } from './web-identities.ts'

const bad = await Promise.all([startIssuer(), startIssuer(), startIssuer(), startIssuer()])
after(async () => {
  for (const each of bad) await each.close()
})
const identities = await openWebIdentities(
  { after },
  bad.map(({ host }) => host),
)
const { issuer, providerArn, newProvider, newTrusted, assume } = identities

test('tokens that prove nothing are refused in STS’s words, and leave no record', async () => {
  const earlier = (await recordsOf(identities.server.directory)).length
  const seconds = Math.floor(Date.now() / 1000)
  const unverified = 'The ID Token provided could not be verified'
  const unknown = 'No OpenIDConnect provider found in your account for https://other.example'
  const named = async (claims: JWTPayload): Promise<string> => issuer.sign(claims)
  for (const [token, name, message] of [
    [await named({ aud: 'stranger' }), 'InvalidIdentityTokenException', 'Incorrect token audience'],
    [await named({ iss: 'https://other.example' }), 'InvalidIdentityTokenException', unknown],
    [await named({ exp: seconds - 120 }), 'ExpiredTokenException', 'Token is expired'],
    [
      await named({ nbf: seconds + 600 }),
      'InvalidIdentityTokenException',
      'Token is not yet valid',
    ],
    [await issuer.sign({}, newPair()), 'InvalidIdentityTokenException', unverified],
    ['no token', 'InvalidIdentityTokenException', /is not a valid JWT/],
  ] as const) {
    await denied(assume(token), name, 400, message)
  }
  const elsewhere = `arn:aws:iam::${otherAccountId}:role/job`
  const own = await issuer.sign()
  const none = /No OpenIDConnect provider found in your account for http:/
  await denied(assume(own, { RoleArn: elsewhere }), 'InvalidIdentityTokenException', 400, none)
  await denied(assume(own, { RoleArn: 'a'.repeat(20) }), 'ValidationError', 400, /is invalid/)
  await denied(
    assume(own, { ProviderId: 'www.amazon.com' }),
    'ValidationError',
    400,
    /Invalid provider/,
  )
  await denied(assume('a'.repeat(20_001)), 'ValidationError', 400, /webIdentityToken/)
  const later = await recordsOf(identities.server.directory)
  assert.equal(later.length, earlier)
})

test('a provider that says nothing, lies or leads elsewhere gives no keys, and is then left alone', async () => {
  const message = /^Couldn't retrieve verification key from your identity provider/
  const refused = async (of: Issuer): Promise<void> => {
    const arn = await newProvider(of.url)
    const RoleArn = await newTrusted(`of-${new URL(of.url).port}`, arn, {})
    const token = await of.sign()
    await denied(assume(token, { RoleArn }), 'IDPCommunicationErrorException', 400, message)
    // Nobody waits for it once more.
    const from = performance.now()
    await denied(assume(token, { RoleArn }), 'IDPCommunicationErrorException', 400, message)
    assert(performance.now() - from < 4000)
  }
  const [silent, lying, leading, straying] = bad
  assert(silent && lying && leading && straying)
  silent.answer(() => undefined)
  lying.answer((_, response) =>
    response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: issuer.url })),
  )
  const Location = `${identities.server.url}/healthz`
  leading.answer((_, response) => response.writeHead(302, { Location }).end())
  // The keys that it names are good ones, but of another host that the settings let be private.
  const asked = issuer.asked()
  const elsewhere = { issuer: straying.url, jwks_uri: `${issuer.url}/keys` }
  straying.answer((_, response) => response.end(JSON.stringify(elsewhere)))
  for (const each of [silent, lying, leading, straying]) await refused(each)
  assert.equal(issuer.asked(), asked)
})

test('a token whose claims are of the wrong types gets no session, and no fault of the server', async () => {
  const RoleArn = await newTrusted('anybody', providerArn, {
    StringNotEquals: { [`${nameOf(issuer)}:sub`]: 'banned' },
  })
  await assume(await issuer.sign({ sub: 'guest' }), { RoleArn })
  await denied(
    assume(await issuer.sign({ sub: 'banned' }), { RoleArn }),
    'AccessDenied',
    403,
    /Not authorized/,
  )
  for (const claims of [
    { sub: ['banned'] },
    { sub: { name: 'banned' } },
    { sub: 7 },
    { sub: true },
    { sub: null },
    { aud: {} },
    { aud: 7 },
    { aud: [[audience]] },
    { azp: [audience] },
    { azp: {} },
    { amr: { a: 1 } },
    { amr: [7] },
    { email: ['a@example.com'] },
    { exp: 'tomorrow' },
    { iat: {} },
    { nbf: 'now' },
    { SUB: 'guest' },
    { 'https://aws.amazon.com/tags': 'team' },
    { 'https://aws.amazon.com/source_identity': ['ada'] },
  ]) {
    const token = await issuer.sign(claims as JWTPayload)
    await denied(assume(token, { RoleArn }), 'InvalidIdentityTokenException', 400, /oken/)
  }
})

test('a role made anew, or a provider taken away, lets nobody in who was in before', async () => {
  const RoleArn = await newTrusted('again', providerArn, {})
  const { Credentials } = await assume(await issuer.sign(), { RoleArn })
  const session = identities.as(credentialsOf(Credentials))
  await session.kms.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))
  const { iam } = identities.root
  await iam.send(new DeleteRolePolicyCommand({ RoleName: 'again', PolicyName: 'own' }))
  await iam.send(new DeleteRoleCommand({ RoleName: 'again' }))
  await newTrusted('again', providerArn, {})
  const random = session.kms.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))
  await assert.rejects(random, { name: 'UnrecognizedClientException' })
  await iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: providerArn }))
  const none = /No OpenIDConnect provider found/
  await denied(assume(await issuer.sign()), 'InvalidIdentityTokenException', 400, none)
})
