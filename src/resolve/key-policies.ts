/**
 * Key policies at the time they are written: the pure checks joined with the accounts that exist.
 * @module
 */
import { requestContext } from '../authorize/context.ts'
import { checkKeyPolicy, defaultKeyPolicy } from '../authorize/key-policy.ts'
import type { Clock } from '../model/clock.ts'
import { keyArn } from '../model/key.ts'
import type { KeyPolicies } from '../operations/operation.ts'
import type { FindPrincipal, FindUserArn } from './principals.ts'
import { shownPolicy } from './shown-policy.ts'

export function createKeyPolicies(
  principalExists: FindPrincipal,
  findUserArn: FindUserArn,
  clock: Clock,
): KeyPolicies {
  return {
    defaultFor: defaultKeyPolicy,
    shown: ({ policy, policyPrincipals }) =>
      shownPolicy(policy, policyPrincipals, principalExists, findUserArn),
    check(policy, key, { caller, partition, region, origin }, bypassLockoutCheck) {
      const context = requestContext({
        caller,
        action: 'kms:PutKeyPolicy',
        region,
        now: clock.now(),
        ...origin,
        resourceAccountId: key.accountId,
      })
      const resource = { arn: keyArn(partition, key), accountId: key.accountId }
      return checkKeyPolicy(policy, {
        caller,
        resource,
        context,
        partition,
        bypassLockoutCheck,
        principalExists,
      })
    },
  }
}
