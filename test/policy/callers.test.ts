/** The tables of docs/callers.md, cell by cell: which statement or grant means which kind of caller. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { authorize } from '../../src/policy/authorize.ts'
import { compilePolicy, type CompiledPolicy } from '../../src/policy/compile.ts'
import type { AuthorizationRequest, Grant, Policies } from '../../src/policy/decision.ts'
import { findIn } from '../../src/policy/findings.ts'
import type { Caller } from '../../src/model/caller.ts'
import {
  allowsAll,
  allowsNothing,
  ask,
  contextOf,
  identityPolicy,
  keyArn,
  onKey,
  own,
  root,
  roleArn,
  rootArn,
  session,
  uniqueIdsOf,
  user,
} from './given.ts'

const alice = user('Alice')
const worker = { ...session('Worker', 'job'), roleArn: roleArn('Worker') }
const providerArn = `arn:aws:iam::${own}:oidc-provider/idp.example`
const service = {
  name: 'ec2.amazonaws.com',
  regionalName: 'ec2.us-west-2.amazonaws.com',
  region: 'us-west-2',
}
const issued = {
  accountId: own,
  issuedAt: 1,
  expiresAt: 2,
  chained: false,
  policyIds: [],
  tags: [],
  transitiveTagKeys: [],
} as const
const guest: Caller = {
  kind: 'federated-user',
  accountId: own,
  arn: `arn:aws:sts::${own}:federated-user/Guest`,
  uniqueId: `${own}:Guest`,
  session: { ...issued, kind: 'federated', principalId: alice.uniqueId, name: 'Guest' },
  issuer: { type: 'IAMUser', principalId: alice.uniqueId, arn: alice.arn, accountId: own },
}
const infrastructure: Caller = {
  kind: 'infrastructure',
  accountId: own,
  arn: `arn:aws:sts::${own}:assumed-role/aws:ec2-infrastructure/i-1`,
  uniqueId: `${own}:aws:ec2-infrastructure:i-1`,
  roleArn: `arn:aws:iam::${own}:role/aws:ec2-infrastructure`,
}
const internal = (kind: 'operator' | 'test'): Caller => ({
  kind,
  accountId: own,
  arn: `arn:aws:trent::${own}:${kind}`,
  uniqueId: kind,
})

/** By the first cell of a row. Without a signature there is no caller: such a call is refused before. */
const callers: Readonly<Record<string, Caller | undefined>> = {
  'root user': root(),
  'IAM user': alice,
  'session of a role': worker,
  'session of a role, by a web identity': {
    ...worker,
    session: {
      ...issued,
      kind: 'role',
      principalId: 'AROAWORKER',
      name: 'job',
      webIdentity: { provider: 'idp.example', audience: 'a', subject: 's', methods: [] },
    },
  },
  'federated user': guest,
  'a service for an IAM user': {
    ...alice,
    forwarded: { via: [service.name], service, issuedAt: 1 },
  },
  'a service in its own name': {
    kind: 'service',
    accountId: '',
    arn: service.name,
    uniqueId: service.name,
    service,
  },
  'infrastructure of a service': infrastructure,
  'web identity (the token itself)': {
    kind: 'web-identity',
    accountId: own,
    arn: providerArn,
    uniqueId: `${providerArn}:a:s`,
    webIdentity: {
      provider: 'idp.example',
      audience: 'a',
      subject: 's',
      claims: {},
      tags: [],
      transitiveTagKeys: [],
    },
  },
  operator: internal('operator'),
  'test API': internal('test'),
  'nobody (no signature)': undefined,
}

/** Every way to write a principal of that form which could be one of the callers above. */
const everyone = ['*', { AWS: '*' }]
const principals: Readonly<Record<string, readonly unknown[]>> = {
  '`"*"`': everyone,
  'its account': [{ AWS: own }, { AWS: rootArn(own) }],
  'user, role': [{ AWS: alice.arn }, { AWS: roleArn('Worker') }],
  session: [{ AWS: worker.arn }, { AWS: guest.arn }],
  '`Service`': [{ Service: service.name }, { Service: service.regionalName }],
  '`Federated`': [{ Federated: providerArn }, { Federated: 'idp.example' }],
}
const serviceGrantees = [service.name, service.regionalName]
const namedGrantees = [
  rootArn(own),
  alice.arn,
  roleArn('Worker'),
  worker.arn,
  guest.arn,
  infrastructure.arn,
  infrastructure.uniqueId,
  ...serviceGrantees,
]
const grants: Readonly<Record<string, readonly Partial<Grant>[]>> = {
  '`GranteePrincipal`': namedGrantees.map((granteePrincipal) => ({ granteePrincipal })),
  '`GranteeServicePrincipal`': serviceGrantees.map((granteeServicePrincipal) => ({
    granteeServicePrincipal,
  })),
}

const uniqueIds = uniqueIdsOf([alice, worker])
const action = (caller: Caller): string =>
  caller.kind === 'web-identity' ? 'sts:AssumeRoleWithWebIdentity' : 'kms:Decrypt'
const policyOf = (caller: Caller, Effect: string, Principal: unknown): CompiledPolicy => {
  const trusts = caller.kind === 'web-identity' && typeof Principal === 'object'
  const statement = { Effect, Principal, Action: action(caller), ...(!trusts && { Resource: '*' }) }
  const text = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  const compiled = compilePolicy(text, trusts ? 'trust' : 'key')
  assert.equal(compiled.broken, undefined, text)
  return compiled
}
const everythingAllowed = identityPolicy({ Effect: 'Allow', Action: '*', Resource: '*' })

/** The least with which the caller gets in. */
function wordFor(caller: Caller, key: CompiledPolicy, given: readonly Grant[]): string {
  const resourcePrincipals = { ...uniqueIds, [guest.arn]: guest.uniqueId }
  const may = (more: Partial<Policies>): boolean =>
    authorize(ask(caller, action(caller)), onKey(key, { resourcePrincipals, ...more }), given)
      .decision === 'allow'
  const limits = { boundary: allowsNothing, session: [allowsNothing] }
  // Nothing can limit a root user.
  if (may(caller.kind === 'root' ? {} : limits)) return 'itself'
  if (may({})) return 'within limits'
  return may({ identity: [everythingAllowed] }) ? 'with policies' : 'no'
}

const order = ['itself', 'within limits', 'with policies', 'no']
const widest = (words: readonly string[]): string =>
  order.find((word) => words.includes(word)) ?? 'no'

function allowedBy(caller: Caller, column: string): string {
  const nobody = policyOf(user('Nobody'), 'Allow', { Service: 'nobody.amazonaws.com' })
  const given = grants[column]
  if (given === undefined) {
    const written = principals[column] ?? assert.fail(column)
    return widest(written.map((each) => wordFor(caller, policyOf(caller, 'Allow', each), [])))
  }
  return widest(
    given.map((each) =>
      wordFor(caller, nobody, [{ grantId: 'g', operations: ['Decrypt'], ...each }]),
    ),
  )
}

function deniedBy(caller: Caller, column: string): string {
  const written = principals[column] ?? assert.fail(column)
  const request: AuthorizationRequest = ask(caller, action(caller), contextOf(), keyArn)
  const denied = written.some(
    (each) => findIn(policyOf(caller, 'Deny', each), request, uniqueIds).deny !== undefined,
  )
  return denied ? 'yes' : 'no'
}

/** The rows of the table under a heading: first cell, then the others by their column. */
function tableUnder(heading: string): readonly (readonly [string, Record<string, string>])[] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/callers.md'), 'utf8')
  const [, section = ''] = page.split(`## ${heading}\n`)
  const [head = [], , ...rows] = (section.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()))
  return rows.map(([who = '', ...cells]) => [
    who,
    Object.fromEntries(cells.map((cell, index) => [head[index + 1] ?? '', cell])),
  ])
}

for (const [heading, columns, found] of [
  ['Allow', [...Object.keys(principals), ...Object.keys(grants)], allowedBy],
  ['Deny', Object.keys(principals), deniedBy],
] as const) {
  const table = tableUnder(heading)
  test(`the table of ${heading} has a row for every caller and a cell for every form`, () => {
    assert.deepEqual(
      table.map(([who]) => who),
      Object.keys(callers),
    )
    for (const [, cells] of table) assert.deepEqual(Object.keys(cells), columns)
  })
  for (const [who, cells] of table) {
    for (const [column, cell] of Object.entries(cells)) {
      test(`${heading}, ${who}, ${column}: ${cell}`, () => {
        const caller = callers[who]
        assert.equal(caller === undefined ? 'no' : found(caller, column), cell)
      })
    }
  }
}

test('an Allow for everybody lets no infrastructure in, and a Deny for everybody keeps it out', () => {
  const grant = { grantId: 'g', operations: ['Decrypt'], granteePrincipal: infrastructure.uniqueId }
  for (const Principal of everyone) {
    const allowing = policyOf(infrastructure, 'Allow', Principal)
    const denying = policyOf(infrastructure, 'Deny', Principal)
    const asked = ask(infrastructure, 'kms:Decrypt')
    const decided = (key: CompiledPolicy, given: readonly Grant[]): string =>
      authorize(asked, onKey(key, { identity: [allowsAll] }), given).decision
    assert.equal(decided(allowing, []), 'deny')
    assert.equal(decided(allowing, [grant]), 'allow')
    assert.equal(decided(denying, [grant]), 'deny')
  }
})
