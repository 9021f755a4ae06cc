/** The engine against the slow evaluator where services call: for users, in their own name, by what they run. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { authorize } from '../../src/policy/authorize.ts'
import { compilePolicy, type CompiledPolicy } from '../../src/policy/compile.ts'
import { requestContext } from '../../src/policy/context.ts'
import type { PolicyKind } from '../../src/policy/document.ts'
import type { Caller } from '../../src/model/caller.ts'
import { other, own, rootArn, roleArn, session, uniqueIdsOf, user } from './given.ts'
import type { PlainContext } from './reference-conditions.ts'
import {
  referenceAllows,
  type PlainPolicy,
  type PlainRequest,
  type PlainStatement,
} from './reference.ts'
import { keyArn } from './reference-values.ts'
import { printedSeed } from './seed.ts'

const region = 'us-west-2'
const source = `arn:aws:s3:::bucket`
const table = `arn:aws:dynamodb:${region}:${own}:table/t`
const serviceOf = (name: string): { readonly name: string; readonly regionalName: string } => ({
  name: `${name}.amazonaws.com`,
  regionalName: `${name}.${region}.amazonaws.com`,
})
const [s3, ec2, athena] = [serviceOf('s3'), serviceOf('ec2'), serviceOf('athena')]

const people = [user('a'), user('a', other), { ...session('R', 's1'), roleArn: roleArn('R') }]
const via = (caller: Caller, ...services: readonly (typeof s3)[]): Caller => ({
  ...caller,
  forwarded: {
    via: services.map(({ name }) => name),
    service: services.at(-1) ?? s3,
    issuedAt: 1,
  },
})
const inOwnName = (service: typeof s3, more: object = {}): Caller => ({
  kind: 'service',
  accountId: '',
  arn: service.name,
  uniqueId: service.name,
  service: { ...service, region, ...more },
})
const host = (resource: string, accountId = own): Caller => ({
  kind: 'infrastructure',
  accountId,
  arn: `arn:aws:sts::${accountId}:assumed-role/aws:ec2-infrastructure/${resource}`,
  uniqueId: `${accountId}:aws:ec2-infrastructure:${resource}`,
  roleArn: `arn:aws:iam::${accountId}:role/aws:ec2-infrastructure`,
})
const hosts = [host('i-1'), host('i-2'), host('i-1', other)]
const callers: readonly Caller[] = [
  ...people,
  ...people.flatMap((caller) => [via(caller, s3), via(caller, ec2), via(caller, athena, s3)]),
  inOwnName(s3),
  inOwnName(s3, { sourceArn: source, sourceAccount: own }),
  inOwnName(s3, { sourceArn: table, sourceAccount: other }),
  inOwnName(ec2, { sourceArn: source }),
  ...hosts,
]

/** What conditions may ask, said once more and by other means than the engine's. */
function contextOf({ forwarded, service }: Caller, action: string): PlainContext {
  const entries: Record<string, readonly string[]> = {
    'aws:viaawsservice': [forwarded ? 'true' : 'false'],
    'aws:principalisawsservice': [service ? 'true' : 'false'],
  }
  if (action === 'kms:CreateGrant') {
    entries['kms:grantisforawsresource'] = [forwarded ? 'true' : 'false']
  }
  if (forwarded !== undefined) {
    const [first = ''] = forwarded.via
    const last = forwarded.via[forwarded.via.length - 1] ?? ''
    entries['kms:viaservice'] = [last.replace('.', `.${region}.`)]
    entries['aws:calledvia'] = forwarded.via
    entries['aws:calledviafirst'] = [first]
    entries['aws:calledvialast'] = [last]
  }
  if (service !== undefined) {
    entries['aws:principalservicename'] = [service.name]
    if (service.sourceArn !== undefined) entries['aws:sourcearn'] = [service.sourceArn]
    if (service.sourceAccount !== undefined) entries['aws:sourceaccount'] = [service.sourceAccount]
  }
  return entries
}

const some = <T>(values: readonly T[], maxLength = 2): fc.Arbitrary<readonly T[]> =>
  fc.array(fc.constantFrom(...values), { minLength: 1, maxLength })
const names = [s3, ec2, athena].flatMap(({ name, regionalName }) => [name, regionalName])
const texts = ['StringEquals', 'StringNotEquals', 'StringLike', 'StringEqualsIfExists'] as const
/** A policy of an organisation. */
const limiting = (
  ...statements: readonly (Partial<PlainStatement> & Pick<PlainStatement, 'Effect'>)[]
): PlainPolicy => ({
  Version: '2012-10-17',
  Statement: statements.map((statement) => ({ Action: ['kms:*'], Resource: ['*'], ...statement })),
})
const unless = (key: string): Pick<PlainStatement, 'Condition'> => ({
  Condition: { Bool: { [key]: ['false'] } },
})

const askedTexts: readonly (readonly [string, readonly string[]])[] = [
  ['kms:ViaService', [...names, 's3.*']],
  ['aws:CalledViaFirst', names],
  ['aws:CalledViaLast', names],
  ['aws:PrincipalServiceName', names],
  ['aws:SourceArn', [source, table]],
  ['aws:SourceAccount', [own, other]],
]
const flags = ['aws:ViaAWSService', 'aws:PrincipalIsAWSService', 'kms:GrantIsForAWSResource']
const condition = fc.oneof(
  fc
    .tuple(fc.constantFrom(...texts), fc.constantFrom(...askedTexts))
    .chain(([operator, [key, values]]) =>
      some(values).map((wanted) => ({ [operator]: { [key]: wanted } })),
    ),
  fc
    .tuple(fc.constantFrom('ForAnyValue', 'ForAllValues'), some(names, 3))
    .map(([set, wanted]) => ({ [`${set}:StringEquals`]: { 'aws:CalledVia': wanted } })),
  fc
    .tuple(fc.constantFrom(...flags), fc.constantFrom('true', 'false'))
    .map(([key, wanted]) => ({ Bool: { [key]: [wanted] } })),
  fc
    .tuple(fc.constantFrom(...askedTexts), fc.constantFrom('true', 'false'))
    .map(([[key], wanted]) => ({ Null: { [key]: [wanted] } })),
)
const when = fc.oneof(
  fc.constant({}),
  condition.map((block) => ({ Condition: block })),
)

const actions = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:GetKeyPolicy',
  'kms:PutKeyPolicy',
  'kms:CreateGrant',
  'kms:RetireGrant',
]
const effect = fc.constantFrom('Allow' as const, 'Allow' as const, 'Deny' as const)
const what = some([...actions, 'kms:*'], 3).map((Action) => ({ Action, Resource: ['*'] }))
const written = [...Object.keys(uniqueIdsOf(people)), own, rootArn(own), rootArn(other)]
const listed = fc.oneof(
  some(written, 3).map((AWS) => ({ AWS })),
  some(names, 3).map((Service) => ({ Service })),
  fc.tuple(some(written), some(names)).map(([AWS, Service]) => ({ AWS, Service })),
)
const keyStatement = fc
  .tuple(
    fc.oneof(
      fc.constant({ Principal: '*' as const }),
      listed.map((Principal) => ({ Principal })),
      listed.map((NotPrincipal) => ({ NotPrincipal })),
    ),
    effect,
    what,
    when,
  )
  .map(([who, Effect, given, only]) => ({
    ...who,
    Effect: 'NotPrincipal' in who ? ('Deny' as const) : Effect,
    ...given,
    ...only,
  }))
const identityStatement = fc
  .tuple(effect, what, when)
  .map(([Effect, given, only]) => ({ Effect, ...given, ...only }))
const policyOf = (
  statement: fc.Arbitrary<PlainPolicy['Statement'][number]>,
): fc.Arbitrary<PlainPolicy> =>
  fc
    .array(statement, { minLength: 1, maxLength: 3 })
    .map((Statement) => ({ Version: '2012-10-17', Statement }))

const grantable = ['Encrypt', 'Decrypt', 'DescribeKey', 'CreateGrant', 'RetireGrant']
const pairs = fc.constantFrom<Record<string, string>>({}, { table: 't' }, { table: 't', more: 'x' })
const constraints = fc.record(
  { SourceArn: fc.constantFrom(source, table), EncryptionContextSubset: pairs },
  { requiredKeys: [] },
)
const grantee = fc.constantFrom(
  ...people.map(({ arn }) => ({ granteePrincipal: arn })),
  ...hosts.map(({ uniqueId }) => ({ granteePrincipal: uniqueId })),
  ...hosts.map(({ arn }) => ({ granteePrincipal: arn })),
  ...names.map((name) => ({ granteeServicePrincipal: name })),
  ...names.map((name) => ({ granteePrincipal: name })),
)
const retiree = fc.constantFrom(
  {},
  ...hosts.map(({ uniqueId }) => ({ retiringPrincipal: uniqueId })),
  ...names.map((name) => ({ retiringServicePrincipal: name })),
  ...names.map((name) => ({ retiringPrincipal: name })),
)
const grant = fc
  .tuple(grantee, retiree, some(grantable, 3), constraints, fc.constantFrom(own, other))
  .map(([to, by, operations, bound, issuingAccountId]) => ({
    ...to,
    ...by,
    operations,
    issuingAccountId,
    constraints: bound,
  }))

const asked = fc.record({
  caller: fc.constantFrom(...callers),
  action: fc.constantFrom(...actions),
  keyPolicy: policyOf(keyStatement),
  identity: fc.array(policyOf(identityStatement), { maxLength: 2 }),
  session: fc.option(fc.array(policyOf(identityStatement), { minLength: 1, maxLength: 1 }), {
    nil: undefined,
    freq: 1,
  }),
  grants: fc.array(grant, { maxLength: 3 }),
  serviceControl: fc.constantFrom<PlainRequest['serviceControl'][]>(
    [],
    [],
    [[limiting({ Effect: 'Allow' })]],
    [[limiting({ Effect: 'Allow', Action: ['kms:Encrypt', 'kms:CreateGrant'] })]],
    [[limiting({ Effect: 'Allow' }, { Effect: 'Deny', ...unless('aws:ViaAWSService') })]],
  ),
  resourceControl: fc.constantFrom<PlainRequest['resourceControl'][]>(
    [],
    [],
    [limiting({ Effect: 'Deny', Principal: '*', ...unless('aws:PrincipalIsAWSService') })],
    [limiting({ Effect: 'Deny', Principal: '*', ...unless('aws:ViaAWSService') })],
  ),
  encryptionContext: pairs,
  requestedGrant: fc
    .tuple(some(grantable), constraints)
    .map(([operations, bound]) => ({ operations, constraints: bound })),
})

function engineAllows(plain: PlainRequest, caller: Caller): boolean {
  const compile = (policy: PlainPolicy, kind: PolicyKind): CompiledPolicy => {
    const compiled = compilePolicy(JSON.stringify(policy), kind)
    assert.equal(compiled.broken, undefined)
    return compiled
  }
  const { action, owner, keyPolicy, session: limits, grants, encryptionContext } = plain
  // As CreateGrant says it, which does not know who calls.
  const entries = action === 'kms:CreateGrant' ? { 'kms:GrantIsForAWSResource': 'false' } : {}
  const facts = { caller, region, action, now: 1, secure: false, resourceAccountId: owner, entries }
  const { requestedGrant } = plain
  const decision = authorize(
    {
      caller,
      action,
      resource: { arn: keyArn, accountId: owner },
      context: requestContext(facts),
      encryptionContext,
      requestedGrant,
    },
    {
      identityOnly: false,
      identity: plain.identity.map((policy) => compile(policy, 'identity')),
      resourcePrincipals: plain.uniqueIds,
      ...(keyPolicy && { resource: compile(keyPolicy, 'key') }),
      ...(limits && { session: limits.map((policy) => compile(policy, 'identity')) }),
      serviceControl: plain.serviceControl.map((level) =>
        level.map((policy) => compile(policy, 'service-control')),
      ),
      resourceControl: plain.resourceControl.map((policy) => compile(policy, 'resource-control')),
    },
    grants.map((one, index) => ({ grantId: `g${index}`, ...one })),
  )
  assert.deepEqual(decision.errors, [])
  assert.ok(decision.reasons.length > 0)
  return decision.decision === 'allow'
}

test('the engine and the slow evaluator agree where services call', () => {
  const runs = Number.parseInt(process.env['TRENT_TEST_RUNS'] ?? '40000', 10)
  const allowed: Record<string, number> = {}
  let denied = 0
  const property = fc.property(asked, ({ caller, ...given }) => {
    const plain: PlainRequest = {
      ...given,
      // Operators and the test API are not among them.
      caller: caller as PlainRequest['caller'],
      resourceArn: keyArn,
      owner: own,
      context: contextOf(caller, given.action),
      uniqueIds: uniqueIdsOf(people),
      boundary: undefined,
    }
    const expected = referenceAllows(plain)
    const kind = caller.forwarded === undefined ? caller.kind : 'forwarded'
    if (expected) allowed[kind] = (allowed[kind] ?? 0) + 1
    else denied += 1
    assert.equal(engineAllows(plain, caller), expected)
  })
  fc.assert(property, { seed: printedSeed('reference-services'), numRuns: runs })
  console.log(`reference: ${JSON.stringify(allowed)} allowed, ${denied} denied`)
  // Agreement on denials alone would prove little.
  for (const kind of ['forwarded', 'service']) assert.ok((allowed[kind] ?? 0) > runs / 200, kind)
  // Only grants let infrastructure in, and few of them name the one that calls.
  assert.ok((allowed['infrastructure'] ?? 0) > runs / 500, 'infrastructure')
})
