/** Trust policies as they are written and as they are told, by the principals that there are. @module */
import { checkTrustPolicy } from '../authorize/trust-policy.ts'
import type { TrustPolicies } from '../operations/operation.ts'
import type { FindPrincipal, FindUserArn } from './principals.ts'
import { shownPolicy } from './shown-policy.ts'

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
