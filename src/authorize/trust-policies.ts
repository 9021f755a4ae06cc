/** Trust policies when they are written and shown, with the existing principals. @module */
import { checkTrustPolicy } from '../policy/trust-policy.ts'
import type { FindPrincipal, FindUserArn } from './principals.ts'
import { shownPolicy } from './shown-policy.ts'
import type { TrustPolicies } from '../operations/contract/dependencies.ts'

export function createTrustPolicies(
  principalExists: FindPrincipal,
  findUserArn: FindUserArn,
): TrustPolicies {
  return {
    check: (policy, { partition }) => checkTrustPolicy(policy, { partition, principalExists }),
    shown: ({ trustPolicy, trustPrincipals }) =>
      shownPolicy(trustPolicy, trustPrincipals, principalExists, findUserArn),
  }
}
