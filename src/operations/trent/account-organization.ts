/** The members by which operators say of which organisation an account is, and what that limits. @module */
import type { PolicyKind } from '../../policy/document.ts'
import { describeFault } from '../../policy/malformed.ts'
import { readPolicy } from '../../policy/validate.ts'
import { KmsError } from '../../errors.ts'
import {
  levelsMax,
  organizationIdPattern,
  policiesOfLevelMax,
  unitPattern,
  type Organization,
} from '../../model/organization.ts'
import { list, text } from '../../model/shape.ts'

/** Larger ones than this are refused as policies. */
const policy = text({ min: 1, max: 32_768 })

export const organizationMembers = {
  organizationId: text({ pattern: organizationIdPattern }),
  organizationUnit: text({ pattern: unitPattern }),
  /** Level by level, from the root to the account. */
  serviceControlPolicies: list(list(policy, { min: 1, max: policiesOfLevelMax }), {
    max: levelsMax,
  }),
  resourceControlPolicies: list(policy, { max: levelsMax * policiesOfLevelMax }),
} as const

export const organizationNames = [
  'organizationId',
  'organizationUnit',
  'serviceControlPolicies',
  'resourceControlPolicies',
] as const

interface Given {
  readonly organizationId?: string
  readonly organizationUnit?: string
  readonly serviceControlPolicies?: readonly (readonly string[])[]
  readonly resourceControlPolicies?: readonly string[]
}

/**
 * The organisation as it was, with what is given in the place of what it had.
 * @throws {KmsError} `ValidationException`, `MalformedPolicyDocumentException`
 */
export function givenOrganization(
  given: Given,
  before: Organization | undefined,
): Organization | undefined {
  const { serviceControlPolicies, resourceControlPolicies } = given
  const organizationId = given.organizationId ?? before?.organizationId
  if (organizationId === undefined) {
    if (organizationNames.every((name) => given[name] === undefined)) return undefined
    const message = 'an account of no organisation has neither a unit nor policies of one'
    throw new KmsError('ValidationException', message)
  }
  for (const [level, policies] of (serviceControlPolicies ?? []).entries()) {
    checkPolicies('service-control', `serviceControlPolicies.${level + 1}`, policies)
  }
  checkPolicies('resource-control', 'resourceControlPolicies', resourceControlPolicies ?? [])
  // Who moves to another organisation leaves its place in the one before.
  const moved = before !== undefined && before.organizationId !== organizationId
  const unit = given.organizationUnit ?? (moved ? undefined : before?.unit)
  return {
    organizationId,
    ...(unit !== undefined && { unit }),
    serviceControlPolicies: serviceControlPolicies ?? before?.serviceControlPolicies ?? [],
    resourceControlPolicies: resourceControlPolicies ?? before?.resourceControlPolicies ?? [],
  }
}

function checkPolicies(kind: PolicyKind, where: string, policies: readonly string[]): void {
  for (const [index, document] of policies.entries()) {
    const result = readPolicy(document, kind)
    if (result.ok) continue
    const message = `${where}.${index + 1}: ${describeFault(result.fault)}`
    throw new KmsError('MalformedPolicyDocumentException', message)
  }
}
