import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyKind } from '../../src/policy/document.ts'
import { describeFault, type PolicyFault } from '../../src/policy/malformed.ts'
import { readPolicy } from '../../src/policy/validate.ts'
import { own, rootArn } from './given.ts'

const statement = {
  Effect: 'Allow',
  Principal: { AWS: rootArn(own) },
  Action: 'kms:*',
  Resource: '*',
}
const identityStatement = { Effect: 'Allow', Action: 'kms:*', Resource: '*' }
const documentOf = (Statement: unknown, more: object = {}): string =>
  JSON.stringify({ Version: '2012-10-17', Statement, ...more })
const without = (name: keyof typeof statement): object => {
  const { [name]: _left, ...rest } = statement
  return rest
}

function faultOf(text: string, kind: PolicyKind = 'key'): PolicyFault | undefined {
  const result = readPolicy(text, kind)
  return result.ok ? undefined : result.fault
}

test('a key policy is read with its lists made plain', () => {
  const condition = {
    StringEquals: { 'kms:CallerAccount': own },
    Bool: { 'aws:SecureTransport': true },
  }
  const sid = 'Enable IAM User Permissions'
  const result = readPolicy(
    documentOf({ ...statement, Sid: sid, Condition: condition }, { Id: 'x' }),
    'key',
  )
  assert.deepEqual(result, {
    ok: true,
    document: {
      version: '2012-10-17',
      id: 'x',
      statements: [
        {
          sid,
          effect: 'Allow',
          principals: {
            negated: false,
            entries: [{ kind: 'account', accountId: own, partition: 'aws' }],
          },
          actions: { negated: false, entries: ['kms:*'] },
          resources: { negated: false, entries: ['*'] },
          conditions: [
            {
              operator: 'StringEquals',
              quantifier: 'one',
              ifExists: false,
              key: 'kms:calleraccount',
              values: [own],
            },
            {
              operator: 'Bool',
              quantifier: 'one',
              ifExists: false,
              key: 'aws:securetransport',
              values: ['true'],
            },
          ],
        },
      ],
    },
  })
})

const accepted: readonly (readonly [string, string, PolicyKind])[] = [
  ['no Version', JSON.stringify({ Statement: [statement] }), 'key'],
  ['the old Version', documentOf([statement], { Version: '2008-10-17' }), 'key'],
  ['no Action', documentOf([without('Action'), statement]), 'key'],
  ['no Resource', documentOf([without('Resource'), statement]), 'key'],
  ['an empty Action', documentOf([{ ...statement, Action: [] }]), 'key'],
  [
    'two equal Sids',
    documentOf([
      { ...statement, Sid: 'a b' },
      { ...statement, Sid: 'a b' },
    ]),
    'key',
  ],
  ['an empty Condition', documentOf([{ ...statement, Condition: {} }]), 'key'],
  ['Latin-1', documentOf([{ ...statement, Sid: 'Schlüssel' }]), 'key'],
  ['an identity policy', documentOf([identityStatement]), 'identity'],
  ['a star as action', documentOf([{ ...identityStatement, Action: '*' }]), 'identity'],
  [
    'a resource ARN',
    documentOf([{ ...identityStatement, Resource: ['arn:aws:kms:*:*:key/*'] }]),
    'identity',
  ],
  [
    'a hundred variables',
    documentOf({ ...statement, Resource: Array.from({ length: 50 }, () => '${a:b}${a:b}') }),
    'key',
  ],
]
for (const [what, text, kind] of accepted) {
  test(`a policy with ${what} is read`, () => {
    assert.equal(faultOf(text, kind), undefined)
  })
}

const all = { AWS: '*' }
const condition = (Condition: unknown): object => ({ ...statement, Condition })
const forAll = (key: string): object => condition({ 'ForAllValues:StringEquals': { [key]: 'x' } })
const refused: readonly (readonly [string, string, PolicyFault['kind'], PolicyKind])[] = [
  ['nothing', '', 'json', 'key'],
  ['no object', '[]', 'structure', 'key'],
  ['null', 'null', 'structure', 'key'],
  ['a member twice', '{"Statement":[],"Statement":[]}', 'json', 'key'],
  [
    'an Effect twice',
    documentOf([statement]).replace('"Effect"', '"Effect":"Deny","Effect"'),
    'json',
    'key',
  ],
  ['a depth bomb', documentOf(JSON.parse('['.repeat(12) + ']'.repeat(12))), 'json', 'key'],
  ['more bytes than allowed', `${documentOf([statement])}${' '.repeat(32_768)}`, 'size', 'key'],
  ['characters beyond Latin-1', documentOf([{ ...statement, Sid: '\u0100' }]), 'characters', 'key'],
  ['a control character', `\u0000${documentOf([statement])}`, 'characters', 'key'],
  ['another Version', documentOf([statement], { Version: '2012-10-18' }), 'structure', 'key'],
  ['a Version that is no text', documentOf([statement], { Version: 20121017 }), 'structure', 'key'],
  ['an unknown element', documentOf([statement], { Comment: 'x' }), 'structure', 'key'],
  ['a lower-case element', documentOf([{ ...statement, effect: 'Allow' }]), 'structure', 'key'],
  ['an unknown element of a statement', documentOf([{ ...statement, Foo: 1 }]), 'structure', 'key'],
  [
    'a member of the prototype',
    '{"Version":"2012-10-17","__proto__":{},"Statement":[]}',
    'structure',
    'key',
  ],
  ['no Statement', documentOf(undefined), 'structure', 'key'],
  ['an empty Statement', documentOf([]), 'structure', 'key'],
  ['a Statement of text', documentOf('x'), 'structure', 'key'],
  ['too many statements', documentOf(Array.from({ length: 501 }, () => 0)), 'count', 'key'],
  [
    'too many principals',
    documentOf({ ...statement, Principal: { AWS: Array.from({ length: 1_001 }, () => own) } }),
    'count',
    'key',
  ],
  [
    'too many condition values',
    documentOf(condition({ StringLike: { 'a:b': Array.from({ length: 1_001 }, () => '*') } })),
    'count',
    'key',
  ],
  [
    'too many variables in resources',
    documentOf({ ...statement, Resource: Array.from({ length: 51 }, () => '${a:b}${a:b}') }),
    'count',
    'key',
  ],
  [
    'too many variables in conditions',
    documentOf(condition({ StringLike: { 'a:b': Array.from({ length: 101 }, () => '${a:b}') } })),
    'count',
    'key',
  ],
  ['a lower-case Effect', documentOf([{ ...statement, Effect: 'allow' }]), 'structure', 'key'],
  ['no Effect', documentOf([without('Effect')]), 'structure', 'key'],
  ['no Principal', documentOf([without('Principal')]), 'principal', 'key'],
  [
    'Principal and NotPrincipal',
    documentOf([{ ...statement, Effect: 'Deny', NotPrincipal: all }]),
    'structure',
    'key',
  ],
  [
    'NotPrincipal with Allow',
    documentOf([{ ...without('Principal'), NotPrincipal: all }]),
    'structure',
    'key',
  ],
  ['Action and NotAction', documentOf([{ ...statement, NotAction: 'kms:*' }]), 'structure', 'key'],
  [
    'Resource and NotResource',
    documentOf([{ ...statement, NotResource: '*' }]),
    'structure',
    'key',
  ],
  ['an Action that is no text', documentOf([{ ...statement, Action: [1] }]), 'structure', 'key'],
  [
    'an unfinished variable',
    documentOf([{ ...statement, Resource: '${aws:x' }]),
    'structure',
    'key',
  ],
  ['a Sid that is no text', documentOf([{ ...statement, Sid: 1 }]), 'structure', 'key'],
  ['a Condition that is a list', documentOf([condition([])]), 'structure', 'key'],
  ['an operator without keys', documentOf([condition({ Bool: {} })]), 'structure', 'key'],
  [
    'a condition key without prefix',
    documentOf([condition({ Bool: { x: 'true' } })]),
    'structure',
    'key',
  ],
  [
    'ForAllValues on the encryption context',
    documentOf([forAll('kms:EncryptionContext:App')]),
    'structure',
    'key',
  ],
  ['ForAllValues on request tags', documentOf([forAll('AWS:RequestTag/x')]), 'structure', 'key'],
  ['a Principal in an identity policy', documentOf([statement]), 'structure', 'identity'],
  [
    'no Action in an identity policy',
    documentOf([{ Effect: 'Allow', Resource: '*' }]),
    'structure',
    'identity',
  ],
  [
    'no Resource in an identity policy',
    documentOf([{ Effect: 'Allow', Action: 'kms:*' }]),
    'structure',
    'identity',
  ],
  [
    'an action without prefix',
    documentOf([{ ...identityStatement, Action: 'Encrypt' }]),
    'structure',
    'identity',
  ],
  [
    'a resource that is no ARN',
    documentOf([{ ...identityStatement, Resource: 'key' }]),
    'structure',
    'identity',
  ],
  [
    'a Sid with spaces in an identity policy',
    documentOf([{ ...identityStatement, Sid: 'a b' }]),
    'structure',
    'identity',
  ],
  [
    'two equal Sids in an identity policy',
    documentOf([
      { ...identityStatement, Sid: 'a' },
      { ...identityStatement, Sid: 'a' },
    ]),
    'structure',
    'identity',
  ],
]
for (const [what, text, expected, kind] of refused) {
  test(`a policy with ${what} is refused`, () => {
    assert.equal(faultOf(text, kind)?.kind, expected)
  })
}

test('ForAllValues on the encryption context may deny, and may bound other keys', () => {
  const deny = { ...forAll('kms:EncryptionContext:App'), Effect: 'Deny' }
  assert.equal(faultOf(documentOf([deny, forAll('kms:EncryptionContextKeys')])), undefined)
})

test('a fault never quotes the policy', () => {
  const secret = 'SECRETVALUE'
  for (const text of [
    `{"${secret}":1}`,
    documentOf([{ ...statement, [secret]: 1 }]),
    documentOf([{ ...statement, Principal: { AWS: secret } }]),
    documentOf([condition({ [secret]: {} })]),
    documentOf([condition({ Bool: { 'a:b': secret } })]),
  ]) {
    const fault = faultOf(text)
    assert.ok(fault)
    assert.doesNotMatch(describeFault(fault), /SECRETVALUE/)
  }
})
