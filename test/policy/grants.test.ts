import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize } from '../../src/policy/authorize.ts'
import type { AuthorizationRequest, Decision, Grant, Policies } from '../../src/policy/decision.ts'
import { internalPolicy } from '../../src/policy/internal-policies.ts'
import type { Caller } from '../../src/model/caller.ts'
import * as given from './given.ts'

const { own, other, root, user, session, ask, onKey, keyPolicy, identityPolicy } = given
const { allowsAll, allowsNothing, deniesAll } = given
const alice = user('alice')
const bob = user('bob')
const carol = user('carol', other)
const deploy = session('Deploy', 'ci')
const resourcePrincipals = given.uniqueIdsOf([alice, bob, carol, deploy])

const naming = (...names: readonly string[]): ReturnType<typeof keyPolicy> =>
  keyPolicy({
    Sid: 'named',
    Effect: 'Allow',
    Principal: { AWS: names },
    Action: 'kms:Encrypt',
    Resource: '*',
  })
function decide(
  request: AuthorizationRequest,
  policies: Policies,
  grants: readonly Grant[] = [],
): Decision {
  return authorize(request, { resourcePrincipals, ...policies }, grants)
}
const allowed = (decision: Decision): boolean => decision.decision === 'allow'
/** What the refusal names first. */
const because = ({ decision, reasons }: Decision): string =>
  decision === 'allow' ? 'allowed' : `${reasons[0]?.effect} ${reasons[0]?.policy}`

const grantTo = (granteePrincipal: string, more: Partial<Grant> = {}): Grant => ({
  grantId: 'grant-1',
  granteePrincipal,
  operations: ['Encrypt'],
  ...more,
})
const silent = onKey(naming(user('nobody').arn))

test('a grant allows its grantee its operations, without identity policies', () => {
  const decision = decide(ask(alice), silent, [grantTo(alice.arn)])
  assert.deepEqual(decision.reasons, [{ effect: 'allow', policy: 'grant', statement: 'grant-1' }])
  assert.ok(!allowed(decide(ask(bob), silent, [grantTo(alice.arn)])))
  assert.ok(!allowed(decide(ask(alice, 'kms:Decrypt'), silent, [grantTo(alice.arn)])))
  assert.ok(!allowed(decide(ask(alice, 's3:Encrypt'), silent, [grantTo(alice.arn)])))
  const denied = { ...silent, identity: [deniesAll] }
  assert.equal(because(decide(ask(alice), denied, [grantTo(alice.arn)])), 'explicit-deny identity')
})

test('no grant speaks for a key whose policy is broken or missing', () => {
  const grants = [grantTo(alice.arn)]
  const broken = onKey({ broken: 'by a test', statements: [] })
  assert.ok(!allowed(decide(ask(alice), broken, grants)))
  assert.ok(!allowed(decide(ask(alice), { identityOnly: false, identity: [] }, grants)))
  assert.ok(!allowed(decide(ask(alice), { identityOnly: true, identity: [] }, grants)))
})

test('a grant to a principal that is gone gives its namesake nothing', () => {
  const grant = grantTo(alice.arn, { granteeId: alice.uniqueId })
  assert.ok(allowed(decide(ask(alice), silent, [grant])))
  assert.ok(!allowed(decide(ask({ ...alice, uniqueId: 'AIDAELSE' }), silent, [grant])))
})

test('a grant to a role is limited by session policy and boundary, one to the session is not', () => {
  const limited = { ...silent, session: [allowsNothing] }
  const byRole = decide(ask(deploy), limited, [grantTo(given.roleArn('Deploy'))])
  assert.equal(because(byRole), 'implicit-deny session')
  assert.ok(allowed(decide(ask(deploy), silent, [grantTo(given.roleArn('Deploy'))])))
  assert.ok(allowed(decide(ask(deploy), limited, [grantTo(deploy.arn)])))
})

test('across accounts a grant of the key owner needs the own account too, one of the own does not', () => {
  const grant = grantTo(carol.arn)
  assert.equal(because(decide(ask(carol), silent, [grant])), 'implicit-deny identity')
  assert.ok(allowed(decide(ask(carol), { ...silent, identity: [allowsAll] }, [grant])))
  const issued = grantTo(carol.arn, { issuingAccountId: other })
  assert.ok(allowed(decide(ask(carol), silent, [issued])))
})

test('a grant to an account leaves it to the identity policies of its members', () => {
  const grant = grantTo(given.rootArn(own))
  assert.ok(allowed(decide(ask(root()), silent, [grant])))
  assert.equal(because(decide(ask(alice), silent, [grant])), 'implicit-deny identity')
  assert.ok(allowed(decide(ask(alice), { ...silent, identity: [allowsAll] }, [grant])))
})

test("operators and the test API call what is Trent's own only, and nobody else does", () => {
  const all = identityPolicy({ Effect: 'Allow', Action: '*', Resource: '*' })
  for (const kind of ['operator', 'test'] as const) {
    const caller: Caller = { kind, accountId: own, arn: 'arn:aws:trent:::x', uniqueId: 'x' }
    const internal: Policies = { identityOnly: true, identity: [internalPolicy] }
    assert.ok(allowed(decide(ask(caller, 'trent:GetStatus', undefined, '*'), internal)))
    const none = { ...internal, identity: [] }
    assert.ok(!allowed(decide(ask(caller, 'trent:GetStatus', undefined, '*'), none)))
    assert.ok(
      !allowed(
        decide(ask(caller, 'kms:CreateKey', undefined, '*'), { ...internal, identity: [all] }),
      ),
    )
    assert.ok(!allowed(decide(ask(caller), onKey(naming('*'), { identity: [all] }))))
  }
  const outsider: Policies = { identityOnly: true, identity: [all] }
  for (const caller of [alice, root()]) {
    assert.ok(!allowed(decide(ask(caller, 'trent:GetStatus', undefined, '*'), outsider)))
  }
})
