/** A plain request as the engine takes it. @module */
import assert from 'node:assert/strict'
import { compilePolicy, type CompiledPolicy } from '../../src/policy/compile.ts'
import type { AuthorizationRequest, Grant, Policies } from '../../src/policy/decision.ts'
import type { PolicyKind } from '../../src/policy/document.ts'
import type { PlainPolicy, PlainRequest } from './reference.ts'

export interface EngineInput {
  readonly request: AuthorizationRequest
  readonly policies: Policies
  readonly grants: readonly Grant[]
}

export function engineInput(plain: PlainRequest): EngineInput {
  const identities = all(plain.identity, 'identity')
  const policies: Policies = {
    identityOnly: plain.keyPolicy === undefined,
    identity: identities,
    resourcePrincipals: plain.uniqueIds,
    ...(plain.keyPolicy && { resource: compile(plain.keyPolicy, 'key') }),
    ...(plain.boundary && { boundary: compile(plain.boundary, 'identity') }),
    ...(plain.session && { session: all(plain.session, 'identity') }),
    serviceControl: plain.serviceControl.map((level) => all(level, 'service-control')),
    resourceControl: all(plain.resourceControl, 'resource-control'),
  }
  const { caller, action, resourceArn, owner, encryptionContext, requestedGrant } = plain
  const request = {
    caller,
    action,
    resource: { arn: resourceArn, accountId: owner },
    context: new Map(Object.entries(plain.context)),
    encryptionContext,
    requestedGrant,
  }
  const grants = plain.grants.map((grant, index) => ({ grantId: `g${index}`, ...grant }))
  return { request, policies, grants }
}

function compile(policy: PlainPolicy, kind: PolicyKind): CompiledPolicy {
  const compiled = compilePolicy(JSON.stringify(policy), kind)
  assert.equal(compiled.broken, undefined)
  return compiled
}

function all(list: readonly PlainPolicy[], kind: PolicyKind): readonly CompiledPolicy[] {
  return list.map((policy) => compile(policy, kind))
}
