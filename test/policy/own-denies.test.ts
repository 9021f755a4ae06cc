/** What another account's caller is told of the denies of its own side. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize } from '../../src/policy/authorize.ts'
import type { AuthorizationRequest, Decision, Policies } from '../../src/policy/decision.ts'
import * as given from './given.ts'

const { other, user, ask, onKey, keyPolicy, allowsAll, deniesAll, delegating } = given
const alice = user('alice')
const carol = user('carol', other)
const resourcePrincipals = given.uniqueIdsOf([alice, carol])

const saying = (Effect: 'Allow' | 'Deny'): object => ({
  Effect,
  Principal: { AWS: carol.arn },
  Action: 'kms:Encrypt',
  Resource: '*',
})

function decide(request: AuthorizationRequest, policies: Policies): Decision {
  return authorize(request, { resourcePrincipals, ...policies }, [])
}
/** What the refusal names first. */
const because = ({ reasons: [reason] }: Decision): string => `${reason?.effect} ${reason?.policy}`

test('a caller of another account learns of its own side’s denies only where the resource lets it in', () => {
  const sides: readonly Partial<Policies>[] = [
    { identity: [allowsAll, deniesAll] },
    { identity: [allowsAll], boundary: deniesAll },
    { identity: [allowsAll], session: [allowsAll, deniesAll] },
    { identity: [allowsAll], serviceControl: [[allowsAll, deniesAll]] },
  ]
  for (const side of sides) {
    const shut = decide(ask(carol), onKey(delegating, side))
    assert.equal(because(shut), 'implicit-deny resource')
    // For operators the deny is there, behind it.
    assert.equal(shut.reasons[1]?.effect, 'explicit-deny')
    const forbidden = keyPolicy(saying('Allow'), saying('Deny'))
    assert.equal(because(decide(ask(carol), onKey(forbidden, side))), 'explicit-deny resource')
    const open = decide(ask(carol), onKey(keyPolicy(saying('Allow')), side))
    assert.match(because(open), /^explicit-deny (?:identity|boundary|session|service-control)$/)
    assert.match(because(decide(ask(alice), onKey(delegating, side))), /^explicit-deny/)
  }
})
