/** Input members for the organization of an account and its policies. @module */
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

/** The limit of one policy is lower; its own check refuses what exceeds it. */
const policy = text({ min: 1, max: 32_768 })

export const organizationMembers = {
  organizationId: text({ pattern: organizationIdPattern }),
  organizationUnit: text({ pattern: unitPattern }),
  /** One list for each level, from the root to the account. */
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
 * Returns the organization of an account after the call: given members replace present ones.
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
  // An account that moves to another organization loses its organizational unit.
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
