/** Trust policies of roles: their form and their principals, as they are written and as they decide. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePolicy } from '../../src/policy/compile.ts'
import { findIn } from '../../src/policy/findings.ts'
import { checkTrustPolicy } from '../../src/policy/trust-policy.ts'
import { KmsError } from '../../src/errors.ts'
import * as given from './given.ts'

const { own, other, user, session } = given
const alice = user('alice')
const deploy = session('Deploy', 'ci')
const ids = given.uniqueIdsOf([alice, deploy])

const statement = {
  Effect: 'Allow',
  Principal: { AWS: given.rootArn(own) },
  Action: 'sts:AssumeRole',
}
const documentOf = (...statements: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })

const check = (text: string): Promise<Readonly<Record<string, string>>> =>
  checkTrustPolicy(text, {
    partition: 'aws',
    principalExists: (arn) =>
      Promise.resolve(arn === given.rootArn(own) ? own : (ids[arn] ?? undefined)),
  })

async function refused(text: string, message: string | RegExp, code: string): Promise<void> {
  const error: unknown = await check(text).catch((reason: unknown) => reason)
  assert(error instanceof KmsError, text.slice(0, 200))
  assert.equal(error.code, code)
  if (typeof message === 'string') assert.equal(error.message, message)
  else assert.match(error.message, message)
}

test('a trust policy answers the unique ids of the users and sessions that it names', async () => {
  const Principal = {
    AWS: [own, given.rootArn(own), alice.arn, deploy.arn, '*'],
    Service: ['ec2.amazonaws.com', 'lambda.amazonaws.com.cn'],
    Federated: ['accounts.google.com', `arn:aws:iam::${other}:oidc-provider/a.example/b`],
  }
  const Action = ['sts:AssumeRole', 'sts:TagSession', 'sts:AssumeRoleWithWebIdentity']
  assert.deepEqual(await check(documentOf({ ...statement, Principal, Action })), {
    [alice.arn]: ids[alice.arn],
    [deploy.arn]: ids[deploy.arn],
  })
})

const noun = 'Invalid principal in policy:'
const malformed: readonly (readonly [string, string, string | RegExp])[] = [
  ['no JSON', '{invalid', 'This policy contains invalid Json'],
  [
    'no statement',
    '{"Version":"2012-10-17","Statement":[]}',
    'Could not parse the policy: Statement is empty!',
  ],
  [
    'a version of its own',
    documentOf(statement).replace('2012', '2013'),
    'The policy must contain a valid version string',
  ],
  [
    'two statements of one Sid',
    documentOf({ ...statement, Sid: 'a' }, { ...statement, Sid: 'a' }),
    'The Statement Ids in the policy are not unique',
  ],
  [
    'a principal without end',
    documentOf({ ...statement, Principal: { AWS: 'x'.repeat(5000) } }),
    `${noun} "AWS":"${'x'.repeat(1024)}"`,
  ],
  ['a bare star', documentOf({ ...statement, Principal: '*' }), 'Principal must be a JSON object.'],
  [
    'no principal',
    documentOf({ Effect: 'Allow', Action: 'sts:AssumeRole' }),
    'Missing required field Principal',
  ],
  [
    'an empty principal',
    documentOf({ ...statement, Principal: {} }),
    'Missing required field Principal cannot be empty!',
  ],
  [
    'NotPrincipal that allows',
    documentOf({ Effect: 'Allow', NotPrincipal: { AWS: '*' }, Action: 'sts:AssumeRole' }),
    'Allow with NotPrincipal is not allowed.',
  ],
  [
    'NotPrincipal that denies',
    documentOf({ Effect: 'Deny', NotPrincipal: { AWS: '*' }, Action: 'sts:AssumeRole' }),
    'AssumeRole policy must not contain NotPrincipal field.',
  ],
  [
    'no action',
    documentOf({ Effect: 'Allow', Principal: { AWS: own } }),
    'Missing required field Action',
  ],
  [
    'an empty list of actions',
    documentOf({ ...statement, Action: [] }),
    'Missing required field Action',
  ],
  [
    'an action of another service',
    documentOf({ ...statement, Action: ['sts:AssumeRole', 'kms:Decrypt'] }),
    'AssumeRole policy may only specify STS AssumeRole actions.',
  ],
  ['a resource', documentOf({ ...statement, Resource: '*' }), 'Has prohibited field Resource'],
  [
    'NotResource',
    documentOf({ ...statement, NotResource: '*' }),
    'AssumeRole policy must not contain resources.',
  ],
  [
    'no effect',
    documentOf({ Principal: { AWS: own }, Action: 'sts:AssumeRole' }),
    'Missing required field Effect',
  ],
  [
    'a user that is not there',
    documentOf({ ...statement, Principal: { AWS: user('bob').arn } }),
    `${noun} "AWS":"${user('bob').arn}"`,
  ],
  [
    'an account that is not there',
    documentOf({ ...statement, Principal: { AWS: other } }),
    `${noun} "AWS":"${other}"`,
  ],
  [
    'another partition',
    documentOf({ ...statement, Principal: { AWS: `arn:aws-cn:iam::${own}:root` } }),
    `${noun} "AWS":"arn:aws-cn:iam::${own}:root"`,
  ],
  [
    'the unique id of one that is gone',
    documentOf({ ...statement, Principal: { AWS: 'AROAEXAMPLE' } }),
    `${noun} "AWS":"AROAEXAMPLE"`,
  ],
  [
    'a wildcard in an ARN',
    documentOf({ ...statement, Principal: { AWS: `arn:aws:iam::${own}:role/*` } }),
    `${noun} "AWS":"arn:aws:iam::${own}:role/*"`,
  ],
  [
    'a service of nobody',
    documentOf({ ...statement, Principal: { Service: 'evil.example' } }),
    `${noun} "SERVICE":"evil.example"`,
  ],
  [
    'an unknown kind of principal',
    documentOf({ ...statement, Principal: { CanonicalUser: 'a' } }),
    `${noun} "CANONICALUSER":"a"`,
  ],
  [
    'anybody of Cognito',
    documentOf({ ...statement, Principal: { Federated: 'cognito-identity.amazonaws.com' } }),
    'A condition block must be present for the Cognito provider',
  ],
  ['an effect of its own', documentOf({ ...statement, Effect: 'Maybe' }), /Effect/],
  ['an element of its own', documentOf({ ...statement, Extra: 1 }), /not known/],
  ['members twice', '{"Version":"2012-10-17","Version":"2012-10-17"}', /invalid Json/],
  ['a deep nest', '['.repeat(5000), /invalid Json/],
  [
    'many principals',
    documentOf({ ...statement, Principal: { AWS: Array.from({ length: 1001 }, () => own) } }),
    /1000 principals/,
  ],
]

for (const [what, text, message] of malformed) {
  test(`a trust policy with ${what} is malformed`, () =>
    refused(text, message, 'MalformedPolicyDocumentException'))
}

test('a trust policy is bounded in characters, white space not counted', async () => {
  const quota = 'Cannot exceed quota for ACLSizePerRole: 2048'
  const long = documentOf({ ...statement, Sid: 'x'.repeat(2000) })
  await refused(long, quota, 'LimitExceededException')
  await refused(' '.repeat(40_000), quota, 'LimitExceededException')
  await check(documentOf(statement) + ' '.repeat(4000))
})

test('a compiled trust policy decides without resources, by unique id', () => {
  const text = documentOf({ ...statement, Principal: { AWS: alice.arn } })
  const policy = compilePolicy(text, 'trust')
  const asked = (uniqueIds: Readonly<Record<string, string>>) =>
    findIn(
      policy,
      {
        caller: alice,
        action: 'sts:AssumeRole',
        resource: { arn: `arn:aws:iam::${own}:role/r`, accountId: own },
        context: given.contextOf({}),
      },
      { uniqueIds },
    ).allow
  assert.deepEqual(asked(ids), { session: '#0' })
  assert.deepEqual(asked({ [alice.arn]: 'AIDANAMESAKE' }), {})
  assert.deepEqual(asked({}), {})
  const named = compilePolicy(
    documentOf({ ...statement, Principal: { Service: 'ec2.amazonaws.com', Federated: 'a.b' } }),
    'trust',
  ).statements[0]?.principals
  assert.deepEqual(named?.services, new Set(['ec2.amazonaws.com']))
  assert.deepEqual(named.federated, new Set(['a.b']))
})
