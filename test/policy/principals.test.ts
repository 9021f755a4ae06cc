import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeFault, type PolicyFault } from '../../src/policy/malformed.ts'
import { readPolicy } from '../../src/policy/validate.ts'
import { own, rootArn } from './given.ts'

const statement = {
  Effect: 'Allow',
  Principal: { AWS: rootArn(own) },
  Action: 'kms:*',
  Resource: '*',
}
const documentOf = (Statement: unknown, more: object = {}): string =>
  JSON.stringify({ Version: '2012-10-17', Statement, ...more })
const without = (name: keyof typeof statement): object => {
  const { [name]: _left, ...rest } = statement
  return rest
}

function faultOf(text: string): PolicyFault | undefined {
  const result = readPolicy(text, 'key')
  return result.ok ? undefined : result.fault
}

const principals: readonly (readonly [string, unknown])[] = [
  ['everyone', '*'],
  ['everyone under AWS', { AWS: '*' }],
  ['an account id', { AWS: own }],
  ['an account root', { AWS: `arn:aws-cn:iam::${own}:root` }],
  ['a user', { AWS: `arn:aws:iam::${own}:user/Alice` }],
  ['a user with a path', { AWS: `arn:aws:iam::${own}:user/a/b/Alice` }],
  ['a role', { AWS: [`arn:aws:iam::${own}:role/aws-service-role/x.amazonaws.com/R`] }],
  ['a session', { AWS: `arn:aws:sts::${own}:assumed-role/R/session@x` }],
  ['a federated user', { AWS: `arn:aws:sts::${own}:federated-user/Bob` }],
  ['a SAML provider', { Federated: `arn:aws:iam::${own}:saml-provider/idp` }],
  ['a web identity provider', { Federated: 'cognito-identity.amazonaws.com' }],
  ['a service', { Service: ['cloudtrail.amazonaws.com', 'logs.us-west-2.amazonaws.com'] }],
  ['several types', { AWS: [own, `arn:aws:iam::${own}:user/A`], Service: 'a.amazonaws.com' }],
]
for (const [what, Principal] of principals) {
  test(`${what} is a principal`, () => {
    assert.equal(faultOf(documentOf({ ...statement, Principal })), undefined)
    const deny = { ...without('Principal'), Effect: 'Deny', NotPrincipal: Principal }
    assert.equal(faultOf(documentOf([deny])), undefined)
  })
}

const noPrincipals: readonly (readonly [string, unknown])[] = [
  ['a bare ARN', `arn:aws:iam::${own}:user/Alice`],
  ['a list', [`arn:aws:iam::${own}:user/Alice`]],
  ['nothing', {}],
  ['an empty list', { AWS: [] }],
  ['null', null],
  ['a group', { AWS: `arn:aws:iam::${own}:group/Admins` }],
  ['a wildcard in an ARN', { AWS: `arn:aws:iam::${own}:user/*` }],
  ['a wildcard in a path', { AWS: `arn:aws:iam::${own}:role/a*/R` }],
  ['a wildcard account', { AWS: 'arn:aws:iam::*:root' }],
  ['eleven digits', { AWS: '11111111111' }],
  ['a number', { AWS: 111111111111 }],
  ['a unique id', { AWS: 'AIDACKCEVSQ6C2EXAMPLE' }],
  ['an instance profile', { AWS: `arn:aws:iam::${own}:instance-profile/x` }],
  ['a session with a path', { AWS: `arn:aws:sts::${own}:assumed-role/a/R/s` }],
  ['an ARN with a Region', { AWS: `arn:aws:iam:us-west-2:${own}:user/A` }],
  ['an ARN of another service', { AWS: `arn:aws:s3::${own}:user/A` }],
  ['an empty name', { AWS: `arn:aws:iam::${own}:user/` }],
  ['an endless name', { AWS: `arn:aws:iam::${own}:user/${'a'.repeat(2000)}` }],
  ['an unknown type', { CanonicalUser: 'x' }],
  ['a type of the prototype', { constructor: '*' }],
  ['a lower-case type', { aws: '*' }],
  ['every service', { Service: '*' }],
  ['one bad among good', { AWS: [own, 'nobody'] }],
]
for (const [what, Principal] of noPrincipals) {
  test(`${what} is no principal, in AWS's words`, () => {
    const fault = faultOf(documentOf({ ...statement, Principal }))
    assert.equal(fault?.kind, 'principal')
    assert.equal(
      describeFault(fault),
      'Policy contains a statement with one or more invalid principals.',
    )
  })
}
