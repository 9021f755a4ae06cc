/** The identity policies of a user, and of the role behind a session. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize } from '../../src/policy/authorize.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import type { Caller } from '../../src/model/caller.ts'
import type { RoleRecord } from '../../src/model/role.ts'
import { loadRole } from '../../src/cache/cached-identities.ts'
import type { CachedPolicy, CachedRole } from '../../src/cache/cached-records.ts'
import { identityOf } from '../../src/authorize/identity.ts'

const accountId = '111122223333'
const session: Caller = {
  kind: 'assumed-role',
  accountId,
  arn: `arn:aws:sts::${accountId}:assumed-role/ops/ci`,
  uniqueId: 'AROAOPS:ci',
}

function documentOf(Action: string, more: object = {}): string {
  const Statement = { Effect: 'Allow', Action, Resource: '*', ...more }
  return JSON.stringify({ Version: '2012-10-17', Statement })
}

function policyOf(action: string): CachedPolicy {
  return { policy: compilePolicy(documentOf(action), 'identity'), bytes: 0 }
}

const role: RoleRecord = {
  roleId: 'AROAOPS',
  accountId,
  name: 'ops',
  path: '/a/',
  trustPolicy: JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' },
  }),
  trustPrincipals: {},
  inlinePolicies: { own: documentOf('kms:ListKeys') },
  attachedPolicies: ['ANPAALL'],
  tags: [{ Key: 'team', Value: 'blue' }],
  description: '',
  maxSessionSeconds: 3600,
  createdAt: 0,
  rowVersion: 1,
}
const policies: Readonly<Record<string, CachedPolicy>> = {
  ANPAALL: policyOf('kms:*'),
  ANPALIST: policyOf('kms:List*'),
}

async function may(action: string, record: RoleRecord | undefined): Promise<boolean> {
  const findRole = (roleId: string): Promise<RoleRecord | undefined> =>
    Promise.resolve(roleId === record?.roleId ? record : undefined)
  const identity = await identityOf(session, {
    user: () => undefined,
    group: () => undefined,
    role: (roleId): Promise<CachedRole | undefined> => loadRole(roleId, { findRole }),
    managedPolicy: (policyId) => policies[policyId],
  })
  const { boundary } = identity
  const request = {
    caller: session,
    action,
    resource: { arn: '*', accountId },
    context: new Map<string, readonly string[]>(),
  }
  const decision = authorize(
    request,
    { identityOnly: true, identity: identity.policies, ...(boundary && { boundary }) },
    [],
  )
  return decision.decision === 'allow'
}

test('a session has the inline and the attached policies of its role, and its tags', async () => {
  assert.equal(await may('kms:CreateKey', role), true)
  assert.equal(await may('kms:CreateKey', { ...role, attachedPolicies: [] }), false)
  assert.equal(await may('kms:ListKeys', { ...role, attachedPolicies: [] }), true)
  const known = await loadRole('AROAOPS', { findRole: () => Promise.resolve(role) })
  assert.deepEqual(known?.entries, { 'aws:PrincipalTag/team': 'blue' })
  assert.equal(known.trust.broken, undefined)
})

test('beyond the boundary of its role a session may nothing', async () => {
  const bounded = { ...role, permissionsBoundary: 'ANPALIST' }
  assert.equal(await may('kms:ListKeys', bounded), true)
  assert.equal(await may('kms:CreateKey', bounded), false)
})

test('what is gone denies: the role, a policy that is attached, the boundary', async () => {
  assert.equal(await may('kms:ListKeys', undefined), false)
  assert.equal(await may('kms:ListKeys', { ...role, roleId: 'AROANAMESAKE' }), false)
  assert.equal(await may('kms:ListKeys', { ...role, attachedPolicies: ['ANPAGONE'] }), false)
  assert.equal(await may('kms:ListKeys', { ...role, permissionsBoundary: 'ANPAGONE' }), false)
})

test('a trust policy that cannot be read trusts nobody', async () => {
  const broken = { ...role, trustPolicy: '{}' }
  const known = await loadRole('AROAOPS', { findRole: () => Promise.resolve(broken) })
  assert.notEqual(known?.trust.broken, undefined)
  assert.deepEqual(known?.trust.statements, [])
})
