/** Random requests and all policies that speak about them, for the tests that compare decisions. @module */
import * as fc from 'fast-check'
import { other, own, root, rootArn, roleArn, session, uniqueIdsOf, user } from './given.ts'
import type { PlainPolicy, PlainRequest } from './reference.ts'
import { keyArn, operatorValues, words } from './reference-values.ts'

const sessions = [session('R', 's1'), session('R', 's2'), session('Q', 's1', other)]
const people = [user('a'), user('b'), user('a', other), ...sessions]
const guestIds = Object.fromEntries(
  [own, other].map((id) => [`arn:aws:sts::${id}:federated-user/guest`, `${id}:guest`]),
)
const known = { ...uniqueIdsOf(people), ...guestIds }
/** Federated users of a user: what a key policy gives the user, they have within their session. */
const guests = [user('a'), user('a', other)].map((issuer) => ({
  kind: 'federated-user' as const,
  accountId: issuer.accountId,
  arn: `arn:aws:sts::${issuer.accountId}:federated-user/guest`,
  uniqueId: `${issuer.accountId}:guest`,
  roleArn: issuer.arn,
  roleId: issuer.uniqueId,
  issuer: {
    type: 'IAMUser' as const,
    principalId: issuer.uniqueId,
    arn: issuer.arn,
    accountId: issuer.accountId,
  },
}))
const members = [...people, root(), root(other)].map((caller) => {
  const [, role = ''] = caller.arn.split('/')
  const more = caller.kind === 'assumed-role' ? { roleArn: roleArn(role, caller.accountId) } : {}
  return { ...caller, ...more }
})
/** Of a service: no organisation limits what it may do, nor what may be done by it. */
const linked = [own, other].map((accountId) => ({
  ...session('AWSServiceRoleForX', 'x', accountId),
  roleArn: `arn:aws:iam::${accountId}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX`,
}))
const callers = [...members, ...guests]
const namesakes = members.map((caller) => ({ ...caller, uniqueId: `X${caller.uniqueId}` }))

const names = [...Object.keys(known), own, other, rootArn(own), rootArn(other)]
const actions = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:PutKeyPolicy',
  'kms:ReEncryptFrom',
  'kms:DescribeKey',
  'kms:CreateGrant',
  'kms:RetireGrant',
]
const actionPatterns = [
  ...actions,
  'kms:*',
  '*',
  'KMS:*crypt',
  'kms:??crypt',
  'kms:ReEncrypt',
  'kms:*e*',
]
const resources = [keyArn, `arn:aws:kms:r:${own}:key/k2`, '*']
const resourcePatterns = [
  '*',
  keyArn,
  `arn:aws:kms:*:${own}:key/*`,
  'arn:aws:kms:*:*:alias/*',
  'arn:*k?',
  'arn:aws:kms:r:${t:acct}:key/k1',
  '${t:none}',
  "arn:aws:kms:r:*:key/${t:none, 'k1'}",
  'arn:aws',
  'arn:aws:kms',
  'arn:aws:kms:?',
  `arn:aws:kms:*:${own}`,
  `arn:aws:*:${own}:key/*`,
  `arn:aws:kms:r?${own}?key/*`,
  `arn:aws:kms:r:*1:k*`,
  'arn:aws:kms:r:${t:many}:*',
  'arn:*',
]
const keys = ['t:one', 't:many', 't:none', 'T:ARN', 't:acct', 't:bool']

const some = <T>(values: readonly T[], maxLength = 3): fc.Arbitrary<readonly T[]> =>
  fc.array(fc.constantFrom(...values), { minLength: 1, maxLength })

const comparison = fc
  .tuple(
    fc.constantFrom(...operatorValues),
    fc.constantFrom('', '', 'ForAllValues:', 'ForAnyValue:'),
    fc.constantFrom('', '', 'IfExists'),
  )
  .chain(([[operator, values], set, suffix]) =>
    fc
      .dictionary(fc.constantFrom(...keys), some(values), { minKeys: 1, maxKeys: 2 })
      .map((block) => [`${set}${operator}${suffix}`, block] as const),
  )
const nullTest = fc
  .dictionary(fc.constantFrom(...keys), some(['true', 'false'], 1), { minKeys: 1, maxKeys: 1 })
  .map((block) => ['Null', block] as const)
const condition = fc
  .array(fc.oneof({ weight: 6, arbitrary: comparison }, nullTest), { maxLength: 2 })
  .map((blocks) => ({ Condition: Object.fromEntries(blocks) }))

const body = fc.record({
  what: fc.oneof(
    { weight: 4, arbitrary: some(actionPatterns).map((Action) => ({ Action })) },
    some(actionPatterns).map((NotAction) => ({ NotAction })),
  ),
  where: fc.oneof(
    { weight: 4, arbitrary: some(resourcePatterns).map((Resource) => ({ Resource })) },
    some(resourcePatterns).map((NotResource) => ({ NotResource })),
  ),
  when: fc.oneof({ weight: 1, arbitrary: fc.constant({}) }, { weight: 2, arbitrary: condition }),
})
const effect = fc.constantFrom(
  'Allow' as const,
  'Allow' as const,
  'Allow' as const,
  'Deny' as const,
)
const versionOf = fc.constantFrom('2012-10-17', '2012-10-17', '2008-10-17')

const identityStatement = fc.tuple(effect, body).map(([Effect, { what, where, when }]) => ({
  Effect,
  ...what,
  ...('Resource' in where
    ? { Resource: where.Resource.map(asArn) }
    : { NotResource: where.NotResource.map(asArn) }),
  ...when,
}))
/** An identity policy takes ARNs and a star only. */
const asArn = (pattern: string): string => (pattern === '${t:none}' ? 'arn:${t:none}' : pattern)

const who = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ Principal: '*' as const }) },
  { weight: 4, arbitrary: some(names, 4).map((AWS) => ({ Principal: { AWS } })) },
  { weight: 1, arbitrary: some([...names, '*'], 10).map((AWS) => ({ NotPrincipal: { AWS } })) },
)
const keyStatement = fc
  .tuple(who, effect, body)
  .map(([principal, given, { what, where, when }]) => ({
    Effect: 'NotPrincipal' in principal ? ('Deny' as const) : given,
    ...principal,
    ...what,
    ...where,
    ...when,
  }))

const policyOf = (
  statement: fc.Arbitrary<PlainPolicy['Statement'][number]>,
): fc.Arbitrary<PlainPolicy> =>
  fc
    .record({
      Version: versionOf,
      Statement: fc.array(statement, { minLength: 1, maxLength: 3 }),
    })
    .map(withPlainArns)
/** Without variables `${t:arn}` is no ARN and `${t:bool}` no boolean: such a policy is refused. */
const withPlainArns = (policy: PlainPolicy): PlainPolicy =>
  policy.Version === '2012-10-17'
    ? policy
    : JSON.parse(
        JSON.stringify(policy)
          .replaceAll('"${t:arn}"', JSON.stringify(keyArn))
          .replaceAll('"${t:bool}"', '"true"'),
      )
const identity = policyOf(identityStatement)
const everything: PlainPolicy = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['*'], Resource: ['*'] }],
}

const context = fc.record(
  {
    't:one': some(words, 1),
    't:many': fc.array(fc.constantFrom(...words), { maxLength: 3 }),
    't:bool': some(['true', 'false', 'True', 'a'], 1),
    't:arn': fc.constant([keyArn]),
    't:acct': some([own, other], 1),
    'aws:sourcearn': fc.constant([keyArn]),
  },
  { requiredKeys: [] },
)

const principal = fc.constantFrom(...names.filter((name) => name.startsWith('arn:')))
const pairs = fc.dictionary(
  fc.constantFrom('team', 'Team', 'purpose'),
  fc.constantFrom('a', 'A', 'b'),
  {
    maxKeys: 3,
    noNullPrototype: true,
  },
)
const constraints = fc
  .tuple(
    fc.oneof(
      fc.record({ EncryptionContextEquals: pairs }),
      fc.record({ EncryptionContextSubset: pairs }),
    ),
    fc.constantFrom({}, {}, {}, { SourceArn: keyArn }, { SourceArn: `${keyArn}0` }),
  )
  .map(([bound, source]) => ({ ...bound, ...source }))
const grantable = [
  'Encrypt',
  'Decrypt',
  'ReEncryptFrom',
  'DescribeKey',
  'CreateGrant',
  'RetireGrant',
]

/** What an organisation's policies hold beside what those of identities do: nothing. */
const inVersion2012 = (policy: fc.Arbitrary<PlainPolicy>): fc.Arbitrary<PlainPolicy> =>
  policy.filter(({ Version }) => Version === '2012-10-17')
const level = fc.array(inVersion2012(identity), { minLength: 1, maxLength: 2 })
const levels = fc.array(fc.oneof(fc.constant([everything]), level), { maxLength: 2 })
const resourceControlStatement = body.map(({ what, where, when }) => ({
  Effect: 'Deny' as const,
  Principal: '*' as const,
  Action: ('Action' in what ? what.Action : what.NotAction).map((name) =>
    name === '*' ? 'kms:*' : name,
  ),
  ...('Resource' in where
    ? { Resource: where.Resource.map(asArn) }
    : { NotResource: where.NotResource.map(asArn) }),
  ...when,
}))

/** All that may speak about one call on a key. */
export const request: fc.Arbitrary<PlainRequest> = fc.record({
  caller: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...callers) },
    fc.constantFrom(...namesakes),
    fc.constantFrom(...linked),
  ) as fc.Arbitrary<PlainRequest['caller']>,
  action: fc.constantFrom(...actions),
  resourceArn: fc.constantFrom(...resources),
  owner: fc.constant(own),
  context,
  uniqueIds: fc
    .subarray(Object.keys(known), { minLength: 5 })
    .map((listed) => Object.fromEntries(listed.map((arn) => [arn, known[arn] ?? '']))),
  keyPolicy: fc.option(policyOf(keyStatement), { nil: undefined, freq: 8 }),
  identity: fc.array(identity, { maxLength: 2 }),
  boundary: fc.option(identity, { nil: undefined, freq: 1 }),
  session: fc.option(fc.array(identity, { minLength: 1, maxLength: 2 }), {
    nil: undefined,
    freq: 1,
  }),
  grants: fc.array(
    fc
      .record({
        granteePrincipal: principal,
        operations: some(grantable),
        issuingAccountId: fc.constantFrom(own, other),
      })
      .chain((grant) =>
        fc
          .record({ retiringPrincipal: principal, constraints }, { requiredKeys: [] })
          .map((more) => ({ ...grant, ...more })),
      ),
    { maxLength: 2 },
  ),
  serviceControl: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, levels),
  resourceControl: fc.oneof(
    { weight: 5, arbitrary: fc.constant([]) },
    fc.array(inVersion2012(policyOf(resourceControlStatement)), { minLength: 1, maxLength: 2 }),
  ),
  encryptionContext: pairs,
  requestedGrant: fc
    .tuple(some(grantable, 2), fc.option(constraints, { nil: undefined }))
    .map(([operations, given]) => ({ operations, ...(given && { constraints: given }) })),
})
