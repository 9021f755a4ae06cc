import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize } from '../../src/policy/authorize.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import {
  checkKeyPolicy,
  defaultKeyPolicy,
  principalsOf,
  type KeyPolicyWriting,
} from '../../src/policy/key-policy.ts'
import { readPolicy } from '../../src/policy/validate.ts'
import { KmsError } from '../../src/errors.ts'
import * as given from './given.ts'

const { own, other, root, user, session } = given
const alice = user('alice')
const deploy = session('Deploy', 'ci')
const uniqueIds = given.uniqueIdsOf([alice, deploy])
const accounts = new Set([own, other])

const writing: KeyPolicyWriting = {
  partition: 'aws',
  caller: root(),
  resource: { arn: given.keyArn, accountId: own },
  context: given.contextOf({ 'aws:securetransport': 'true' }),
  bypassLockoutCheck: false,
  bounded: false,
  principalExists: (arn) => {
    const [, , , , accountId = '', resource] = arn.split(':')
    const account = resource === 'root' && accounts.has(accountId) ? accountId : undefined
    return Promise.resolve(uniqueIds[arn] ?? account)
  },
}
const statement = {
  Effect: 'Allow',
  Principal: { AWS: given.rootArn(own) },
  Action: 'kms:*',
  Resource: '*',
}
const textOf = (...statements: readonly unknown[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })
const check = async (
  text: string,
  more: Partial<KeyPolicyWriting> = {},
): Promise<Readonly<Record<string, string>>> => checkKeyPolicy(text, { ...writing, ...more })
const refusedAs =
  (code: string, message?: string) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof KmsError)
    assert.equal(error.code, code)
    if (message !== undefined) assert.equal(error.message, message)
    return true
  }
const malformed = 'MalformedPolicyDocumentException'
const lockout = 'The new key policy will not allow you to update the key policy in the future.'
const invalid = 'Policy contains a statement with one or more invalid principals.'

test('the default policy is what AWS prints, and passes its own check', async () => {
  const text = defaultKeyPolicy('aws', own)
  assert.equal(
    text,
    [
      '{',
      '  "Version" : "2012-10-17",',
      '  "Id" : "key-default-1",',
      '  "Statement" : [ {',
      '    "Sid" : "Enable IAM User Permissions",',
      '    "Effect" : "Allow",',
      '    "Principal" : {',
      '      "AWS" : "arn:aws:iam::111111111111:root"',
      '    },',
      '    "Action" : "kms:*",',
      '    "Resource" : "*"',
      '  } ]',
      '}',
    ].join('\n'),
  )
  assert.deepEqual(await check(text), {})
  const policies = given.onKey(compilePolicy(text, 'key'))
  assert.equal(authorize(given.ask(root()), policies, []).decision, 'allow')
  assert.match(defaultKeyPolicy('aws-cn', own), /"arn:aws-cn:iam::111111111111:root"/)
})

test('the unique ids of users, roles and sessions are answered by ARN', async () => {
  const role = given.roleArn('Deploy')
  const named = { ...statement, Principal: { AWS: [alice.arn, role, deploy.arn, other] } }
  assert.deepEqual(await check(textOf(statement, named)), {
    [alice.arn]: alice.uniqueId,
    [role]: 'AROADEPLOY111111111111',
    [deploy.arn]: deploy.uniqueId,
  })
})

test('principals are listed once, in Principal and in NotPrincipal', () => {
  const deny = {
    Effect: 'Deny',
    NotPrincipal: { AWS: [own, alice.arn] },
    Action: '*',
    Resource: '*',
  }
  const result = readPolicy(textOf(statement, deny, { ...statement, Principal: '*' }), 'key')
  assert.ok(result.ok)
  assert.deepEqual(
    principalsOf(result.document).map((entry) => ('arn' in entry ? entry.arn : entry.kind)),
    ['account', alice.arn],
  )
})

test('a principal that does not exist, or is of another partition, is refused', async () => {
  const absent = [
    user('nobody').arn,
    '333333333333',
    given.roleArn('Nobody'),
    'AIDACKCEVSQ6C2EXAMPLE',
  ]
  const elsewhere = [`arn:aws-cn:iam::${own}:root`, alice.arn.replace('aws', 'aws-cn')]
  for (const AWS of [...absent, ...elsewhere]) {
    const text = textOf(statement, { ...statement, Principal: { AWS } })
    await assert.rejects(check(text), refusedAs(malformed, invalid))
    await assert.rejects(check(text, { bypassLockoutCheck: true }), refusedAs(malformed, invalid))
    const negated = { Effect: 'Deny', NotPrincipal: { AWS }, Action: 'kms:Sign', Resource: '*' }
    await assert.rejects(check(textOf(statement, negated)), refusedAs(malformed, invalid))
  }
  assert.deepEqual(await check(textOf(statement, { ...statement, Principal: { AWS: other } })), {})
})

test('a policy must let its writer write the next one, or bypass the check', async () => {
  const locking = [
    { ...statement, Principal: { AWS: other } },
    { ...statement, Principal: { AWS: alice.arn } },
    { ...statement, Action: 'kms:Encrypt' },
    { ...statement, Action: 'kms:PutKeyPolicies' },
    { ...statement, Resource: given.otherKeyArn },
    { ...statement, Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    { Effect: 'Allow', Principal: '*', Action: 'kms:*' },
  ]
  for (const each of locking) {
    await assert.rejects(check(textOf(each)), refusedAs(malformed, lockout))
    await check(textOf(each), { bypassLockoutCheck: true })
  }
  const deny = { ...statement, Effect: 'Deny', Action: 'kms:Put*' }
  await assert.rejects(check(textOf(statement, deny)), refusedAs(malformed, lockout))
})

test('the account principal suffices for a user of the account, and so does its own name', async () => {
  const condition = { Condition: { Bool: { 'aws:SecureTransport': 'true' } } }
  for (const caller of [alice, deploy]) {
    await check(textOf({ ...statement, ...condition }), { caller })
    await check(textOf({ ...statement, Principal: { AWS: caller.arn } }), { caller })
    await check(textOf({ ...statement, Principal: '*', Action: 'kms:PutKeyPolicy' }), { caller })
  }
  const foreign = { caller: user('carol', other) }
  const open = textOf({ ...statement, Principal: '*' })
  await assert.rejects(check(open, foreign), refusedAs(malformed, lockout))
})

test('size, characters and structure are refused before anything is looked up', async () => {
  const never = { principalExists: () => assert.fail('looked up') }
  const ends = (bytes: number): string => `${textOf(statement)}${' '.repeat(bytes)}`
  const spare = 32_768 - textOf(statement).length
  assert.deepEqual(await check(ends(spare)), {})
  await assert.rejects(check(ends(spare + 1), never), refusedAs('LimitExceededException'))
  const latin = textOf({ ...statement, Sid: 'ü'.repeat(16_400) })
  assert.ok(latin.length < 32_768)
  await assert.rejects(check(latin, never), refusedAs('LimitExceededException'))
  for (const text of [
    '',
    'null',
    'not json',
    textOf({ ...statement, Sid: '\u2028' }),
    '{"a":1,"a":1}',
  ]) {
    await assert.rejects(check(text, never), refusedAs(malformed))
  }
  const bare = textOf({ ...statement, Principal: given.rootArn(own) })
  await assert.rejects(check(bare, never), refusedAs(malformed, invalid))
})

test("a guide's sample with a bare-string principal and no way back is refused, repaired too", async () => {
  const sample = {
    Sid: 'Allow access for Alice',
    Effect: 'Allow',
    Principal: alice.arn as unknown,
    Action: [
      'kms:Encrypt',
      'kms:GenerateDataKey*',
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:ReEncrypt*',
    ],
    Resource: '*',
  }
  await assert.rejects(check(textOf(sample)), refusedAs(malformed, invalid))
  const repaired = textOf({ ...sample, Principal: { AWS: alice.arn } })
  await assert.rejects(check(repaired), refusedAs(malformed, lockout))
})
