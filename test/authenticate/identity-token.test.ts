/** Identity tokens: which are believed, and what policies may ask of them. */
import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { after, test } from 'node:test'
import { SignJWT, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import { claimedIssuer, verifyIdentityToken } from '../../src/authenticate/identity-token.ts'
import { KmsError } from '../../src/errors.ts'
import { audience, newPair, startIssuer } from './issuer.ts'

const issuer = await startIssuer()
after(() => issuer.close())
const pair = newPair()
const keys: JWTVerifyGetKey = () => Promise.resolve(pair.publicKey)
const provider = { url: issuer.url, clientIds: [audience, 'other'] }
const now = Date.now()
const seconds = Math.floor(now / 1000)

const verify = async (claims: JWTPayload): ReturnType<typeof verifyIdentityToken> =>
  verifyIdentityToken(await issuer.sign(claims, pair), provider, keys, now)

async function refused(
  claims: JWTPayload,
  message: string,
  code = 'InvalidIdentityTokenException',
) {
  await assert.rejects(verify(claims), (error: unknown) => {
    assert(error instanceof KmsError)
    assert.deepEqual([error.code, error.message], [code, message])
    return true
  })
}

test('a good token proves its subject, its audience and its claims', async () => {
  const claims = { amr: ['pwd', 'mfa'], repository: 'a/b', run: 7, fork: false, more: { a: 1 } }
  const proven = await verify({ sub: 'repo:a/b', ...claims })
  assert.deepEqual(
    [proven.subject, proven.audience, proven.tags, proven.sourceIdentity],
    ['repo:a/b', audience, [], undefined],
  )
  const { iss, ...told } = proven.claims
  assert.equal(iss, issuer.url)
  const expected = { amr: ['pwd', 'mfa'], repository: 'a/b', run: '7', fork: 'false' }
  assert.deepEqual({ ...told }, { ...expected, sub: 'repo:a/b', aud: [audience] })
})

test('the authorized party stands before the audience, which is told beside it', async () => {
  const { audience: client, claims } = await verify({ azp: 'other', aud: ['x', audience] })
  assert.deepEqual([client, claims['aud'], claims['oaud']], ['other', 'other', ['x', audience]])
  await refused({ azp: 'stranger', aud: audience }, 'Incorrect token audience')
})

test('of several audiences one must be registered', async () => {
  assert.equal((await verify({ aud: ['x', 'other'] })).audience, 'other')
  await refused({ aud: ['x', 'y'] }, 'Incorrect token audience')
})

test('tags and a source identity that the provider gives are the session’s', async () => {
  const { tags, transitiveTagKeys, sourceIdentity } = await verify({
    'https://aws.amazon.com/tags': {
      principal_tags: { team: ['blue'], cost: ['7'] },
      transitive_tag_keys: ['team'],
    },
    'https://aws.amazon.com/source_identity': 'ada',
  })
  assert.deepEqual(
    [tags, transitiveTagKeys, sourceIdentity],
    [
      [
        { Key: 'team', Value: 'blue' },
        { Key: 'cost', Value: '7' },
      ],
      ['team'],
      'ada',
    ],
  )
  for (const given of [
    { principal_tags: { team: ['a', 'b'] } },
    { principal_tags: { 'aws:x': ['a'] } },
    { principal_tags: { team: [1] } },
    { principal_tags: { team: ['a'.repeat(257)] } },
    { principal_tags: { team: ['a'], TEAM: ['b'] } },
    { principal_tags: {}, transitive_tag_keys: ['team'] },
    { principal_tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ['v']])) },
  ]) {
    const message = 'The session tags of the token are not tags'
    await refused({ 'https://aws.amazon.com/tags': given }, message)
  }
  const message = 'The source identity of the token is none'
  await refused({ 'https://aws.amazon.com/source_identity': 'a b' }, message)
})

test('times: expired, not yet valid, issued in the future; a minute is let pass', async () => {
  await refused({ exp: seconds - 61 }, 'Token is expired', 'ExpiredIdentityTokenException')
  await refused({ nbf: seconds + 120 }, 'Token is not yet valid')
  await refused({ iat: seconds + 120 }, 'Token was issued in the future')
  await verify({ exp: seconds - 30, nbf: seconds + 30, iat: seconds + 30 })
})

const unverified = 'The ID Token provided could not be verified'

test('what another issuer, another key or nobody signed is refused, and so is what lacks a claim', async () => {
  await refused({ iss: 'https://other.example' }, unverified)
  for (const claim of ['sub', 'aud', 'exp', 'iat']) {
    await refused({ [claim]: undefined }, unverified)
  }
  await refused({ sub: '' }, 'Invalid token subject')
  const foreign = await issuer.sign({}, newPair())
  const [header = '', payload = '', signature = ''] = (await issuer.sign({}, pair)).split('.')
  const { privateKey } = generateKeyPairSync('ed25519')
  const edwards = await new SignJWT({ iss: issuer.url, sub: 'a', aud: audience })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey)
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const forged = `${encode({ alg: 'HS256' })}.${payload}`
  const pem = pair.publicKey.export({ format: 'pem', type: 'spki' })
  const mac = createHmac('sha256', pem).update(forged).digest('base64url')
  const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  for (const token of [
    foreign,
    edwards,
    `${forged}.${mac}`,
    `${encode({ alg: 'none' })}.${payload}.`,
    `${encode({ alg: 'ES256', crit: ['b64'], b64: false })}.${payload}.${signature}`,
    `${header}.${payload}.${flipped}`,
    `${header}.${encode({ iss: issuer.url })}.${signature}`,
  ]) {
    await assert.rejects(verifyIdentityToken(token, provider, keys, now), {
      code: 'InvalidIdentityTokenException',
      message: unverified,
    })
  }
})

test('what is no token says whose it is to nobody', () => {
  for (const text of [
    '',
    'x',
    'a.b.c',
    'a.b',
    `${'a'.repeat(100)}.e30.x`,
    'e30.W10.x',
    'e30.bnVsbA.x',
  ]) {
    assert.throws(() => claimedIssuer(text), { code: 'InvalidIdentityTokenException' })
  }
})

const wrongTexts = [7, true, null, {}, { a: 1 }, [], ['a'], [{ a: 1 }], 'a'.repeat(2049)]

test('a subject that is no text is refused, and so is one that no record can show', async () => {
  for (const sub of [...wrongTexts, '', 'a\nb', 'a\u0000', '\ud800']) {
    await refused({ sub } as JWTPayload, 'Invalid token subject')
  }
  assert.equal((await verify({ sub: 'a'.repeat(2048) })).subject.length, 2048)
})

test('an audience, a party or a method of another type is refused', async () => {
  for (const aud of [7, true, null, {}, [], [7], [audience, 7], [audience, null], [[audience]]]) {
    await refused({ aud } as JWTPayload, 'Incorrect token audience')
  }
  for (const azp of wrongTexts) await refused({ azp }, 'Incorrect token audience')
  for (const name of ['amr', 'email', 'AMR', 'Email']) {
    const wrong = name.toLowerCase() === 'amr' ? [7, {}, null, [7], ['a', {}]] : wrongTexts
    for (const value of wrong) {
      await refused(
        { [name]: value },
        `The claim ${name.toLowerCase()} of the token is too long, or not of the type that it must have`,
      )
    }
  }
  assert.deepEqual((await verify({ amr: 'pwd' })).claims['amr'], 'pwd')
})

test('no claim is left out because it is long or one of many', async () => {
  const list = Array.from({ length: 512 }, (_, index) => String(index))
  assert.deepEqual((await verify({ groups: list })).claims['groups'], list)
  for (const groups of ['a'.repeat(2049), [...list, 'one more'], ['a'.repeat(2049)]]) {
    await refused(
      { groups },
      'The claim groups of the token is too long, or not of the type that it must have',
    )
  }
  const many = (count: number): JWTPayload =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`claim${index}`, 'a']))
  assert.equal((await verify(many(100))).claims['claim99'], 'a')
  const message = 'The token has too many claims, or two that differ in case only'
  await refused(many(128), message)
})

test('no claim stands for another whose name differs in case only', async () => {
  const message = 'The token has too many claims, or two that differ in case only'
  for (const more of [{ Sub: 'admin' }, { AUD: 'other' }, { repo: 'a', Repo: 'b' }]) {
    await refused(more, message)
  }
  // The token names the original audience only when an authorized party is present.
  const { claims } = await verify({ oaud: 'other', OAUD: undefined })
  assert.equal(claims['oaud'], undefined)
  assert.equal((await verify({ Oaud: 'other' })).claims['Oaud'], undefined)
})

test('objects are no condition keys, whatever they are called', async () => {
  const { claims } = await verify({ a: {}, b: [{}], c: null, d: [[]], e: ['x', {}], f: [] })
  for (const name of ['a', 'b', 'c', 'd', 'e']) assert.equal(name in claims, false, name)
  assert.deepEqual(claims['f'], [])
})

test('tags of another type than the one they must have are refused', async () => {
  const message = 'The session tags of the token are not tags'
  for (const given of [
    null,
    'team',
    7,
    [],
    { principal_tags: 'team' },
    { principal_tags: [['a']] },
    { principal_tags: null },
    { principal_tags: { team: { a: 1 } } },
    { principal_tags: { team: [] } },
    { principal_tags: { team: ['*'] } },
    { principal_tags: { 'te*m': ['a'] } },
    { principal_tags: { team: ['a\nb'] } },
    { principal_tags: { team: ['a'] }, transitive_tag_keys: 'team' },
    { principal_tags: { team: ['a'] }, transitive_tag_keys: [7] },
  ]) {
    await refused({ 'https://aws.amazon.com/tags': given }, message)
  }
  for (const given of [7, null, {}, ['ada']]) {
    const claim = 'https://aws.amazon.com/source_identity'
    await refused({ [claim]: given }, 'The source identity of the token is none')
  }
})
