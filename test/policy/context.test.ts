import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestContext, type ContextFacts } from '../../src/policy/context.ts'
import type { KeyRecord } from '../../src/model/key.ts'
import { other, own, root, session, user } from './given.ts'

const key: KeyRecord = {
  accountId: own,
  region: 'us-west-2',
  keyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
  spec: 'SYMMETRIC_DEFAULT',
  usage: 'ENCRYPT_DECRYPT',
  origin: 'AWS_KMS',
  manager: 'CUSTOMER',
  state: 'Enabled',
  description: '',
  createdAt: 0,
  policy: '',
  policyPrincipals: {},
  tags: [],
  rowVersion: 1,
}
const facts: ContextFacts = {
  action: 'kms:Encrypt',
  caller: user('alice', other),
  region: 'us-west-2',
  now: Date.UTC(2030, 0, 2, 3, 4, 5, 678),
  secure: false,
  resourceAccountId: own,
}
const built = (more: Partial<ContextFacts> = {}): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(requestContext({ ...facts, ...more }))

test('every request has its caller, its time, its Region and its resource account', () => {
  assert.deepEqual(built(), {
    'aws:principalarn': [`arn:aws:iam::${other}:user/alice`],
    'aws:principalaccount': [other],
    'aws:principaltype': ['User'],
    'aws:userid': [`AIDAALICE${other}`],
    'aws:username': ['alice'],
    'kms:calleraccount': [other],
    'aws:currenttime': ['2030-01-02T03:04:05Z'],
    'aws:epochtime': ['1893553445'],
    'aws:requestedregion': ['us-west-2'],
    'aws:securetransport': ['false'],
    'aws:resourceaccount': [own],
    'aws:viaawsservice': ['false'],
    'aws:principalisawsservice': ['false'],
  })
})

test('kms:CallerAccount is known of what KMS does with keys, and to no other service', () => {
  const of = (action: string): unknown => built({ action })['kms:calleraccount']
  assert.deepEqual(of('kms:CreateKey'), [other])
  for (const action of ['kms:ListKeys', 'kms:GenerateRandom', 'iam:GetUser', 'sts:AssumeRole']) {
    assert.equal(of(action), undefined)
  }
})

test('a session is its role to aws:PrincipalArn, and has no user name; a root user is its account', () => {
  const deploy = { ...session('Deploy', 'ci'), userName: 'not for a session' }
  const role = built({ caller: deploy })
  assert.deepEqual(role['aws:principalarn'], [`arn:aws:iam::${own}:role/Deploy`])
  assert.deepEqual(role['aws:principaltype'], ['AssumedRole'])
  assert.deepEqual(role['aws:userid'], [`AROADEPLOY${own}:ci`])
  assert.equal(role['aws:username'], undefined)
  const roleArn = `arn:aws:iam::${own}:role/a/b/Deploy`
  assert.deepEqual(built({ caller: { ...deploy, roleArn } })['aws:principalarn'], [roleArn])
  const account = built({ caller: root() })
  assert.deepEqual(account['aws:principaltype'], ['Account'])
  assert.deepEqual(account['aws:principalarn'], [`arn:aws:iam::${own}:root`])
  assert.deepEqual(account['aws:userid'], [own])
})

test('a key brings its keys, its tags and its aliases', () => {
  const tags = [{ TagKey: 'Team', TagValue: 'A' }]
  const context = built({
    key: { ...key, tags },
    keyAliases: ['alias/a', 'alias/b'],
    requestAlias: 'alias/a',
  })
  assert.deepEqual(context['kms:keyspec'], ['SYMMETRIC_DEFAULT'])
  assert.deepEqual(context['kms:customermasterkeyspec'], ['SYMMETRIC_DEFAULT'])
  assert.deepEqual(context['kms:keyusage'], ['ENCRYPT_DECRYPT'])
  assert.deepEqual(context['kms:customermasterkeyusage'], ['ENCRYPT_DECRYPT'])
  assert.deepEqual(context['kms:keyorigin'], ['AWS_KMS'])
  assert.deepEqual(context['kms:multiregion'], ['false'])
  assert.equal(context['kms:multiregionkeytype'], undefined)
  assert.deepEqual(context['aws:resourcetag/team'], ['A'])
  assert.deepEqual(context['kms:resourcealiases'], ['alias/a', 'alias/b'])
  assert.deepEqual(context['kms:requestalias'], ['alias/a'])
})

test('a multi-Region key is a primary in its primary Region and a replica elsewhere', () => {
  const typeIn = (primaryRegion: string): unknown =>
    built({ key: { ...key, primaryRegion } })['kms:multiregionkeytype']
  assert.deepEqual(typeIn('us-west-2'), ['PRIMARY'])
  assert.deepEqual(typeIn('eu-west-1'), ['REPLICA'])
  assert.deepEqual(built({ key: { ...key, primaryRegion: 'eu-west-1' } })['kms:multiregion'], [
    'true',
  ])
})

test('addresses lose their IPv6 clothing and their scope; absent facts are absent', () => {
  const of = (sourceAddress: string | undefined): unknown =>
    built({ sourceAddress })['aws:sourceip']
  assert.deepEqual(of('::ffff:192.0.2.1'), ['192.0.2.1'])
  assert.deepEqual(of('fe80::1%eth0'), ['fe80::1'])
  assert.deepEqual(of('2001:db8::1'), ['2001:db8::1'])
  assert.equal(of(''), undefined)
  assert.equal(of(undefined), undefined)
  const agent = built({ userAgent: 'x', referer: 'https://y.example/', secure: true })
  assert.deepEqual(agent['aws:useragent'], ['x'])
  assert.deepEqual(agent['aws:referer'], ['https://y.example/'])
  assert.deepEqual(agent['aws:securetransport'], ['true'])
})

test('what an operation adds is keyed in lower case; undefined is left out', () => {
  const context = built({
    entries: {
      'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
      'kms:EncryptionContextKeys': ['App', 'Env'],
      'kms:DataKeyPairSpec': undefined,
    },
  })
  assert.deepEqual(context['kms:encryptionalgorithm'], ['SYMMETRIC_DEFAULT'])
  assert.deepEqual(context['kms:encryptioncontextkeys'], ['App', 'Env'])
  assert.ok(!('kms:datakeypairspec' in context))
})

test('two names that differ in case only are one key of both values', () => {
  const entries = { 'kms:EncryptionContext:App': 'a', 'kms:EncryptionContext:APP': 'b' }
  assert.deepEqual(built({ entries })['kms:encryptioncontext:app'], ['a', 'b'])
  const tags = [
    { TagKey: 'x', TagValue: '1' },
    { TagKey: 'X', TagValue: '2' },
  ]
  assert.deepEqual(built({ key: { ...key, tags } })['aws:resourcetag/x'], ['1', '2'])
})

test('one name in thousands of spellings is one key of all their values, in their order', () => {
  const spelled = (index: number): string =>
    Array.from('abcdefghijklmnop', (letter, bit) =>
      ((index >> bit) & 1) === 1 ? letter.toUpperCase() : letter,
    ).join('')
  const values = Array.from({ length: 2 ** 14 }, (_, index) => String(index))
  const entries = Object.fromEntries(
    values.map((value, index) => [`kms:EncryptionContext:${spelled(index)}`, value]),
  )
  const context = built({ entries })
  assert.deepEqual(context['kms:encryptioncontext:abcdefghijklmnop'], values)
})

test('lists that are given are copied: a second spelling does not write into them', () => {
  const given = ['a']
  const entries = { 'kms:EncryptionContextKeys': given, 'kms:encryptioncontextKEYS': 'b' }
  assert.deepEqual(built({ entries })['kms:encryptioncontextkeys'], ['a', 'b'])
  assert.deepEqual(given, ['a'])
})

test('an operation cannot replace what is known of every request', () => {
  const entries = { 'aws:PrincipalArn': 'arn:aws:iam::1:root', 'kms:CallerAccount': ['1', '2'] }
  const context = built({ entries })
  assert.deepEqual(context['aws:principalarn'], [`arn:aws:iam::${other}:user/alice`])
  assert.deepEqual(context['kms:calleraccount'], [other])
})

test('an encryption context of hostile names stays data', () => {
  const entries = Object.fromEntries([['kms:EncryptionContext:__proto__', 'x']])
  assert.deepEqual(built({ entries })['kms:encryptioncontext:__proto__'], ['x'])
})
