/**
 * Key policies when they are written and shown: joins the pure checks with the existing accounts.
 * @module
 */
import { requestContext } from '../policy/context.ts'
import { checkKeyPolicy, defaultKeyPolicy } from '../policy/key-policy.ts'
import type { Clock } from '../model/clock.ts'
import { keyArn } from '../model/key.ts'
import type { FindPrincipal, FindUserArn } from './principals.ts'
import { shownPolicy } from './shown-policy.ts'
import type { KeyPolicies } from '../operations/contract/dependencies.ts'
import type { Lookup } from '../cache/cached-records.ts'
import { accountsOf, organizationsOf } from './accounts.ts'
import { identityOf } from './identity.ts'

export function createKeyPolicies(
  principalExists: FindPrincipal,
  findUserArn: FindUserArn,
  lookup: Lookup,
  clock: Clock,
): KeyPolicies {
  return {
    defaultFor: defaultKeyPolicy,
    shown: ({ policy, policyPrincipals }) =>
      shownPolicy(policy, policyPrincipals, principalExists, findUserArn),
    async check(policy, key, { caller, partition, region, origin }, bypassLockoutCheck) {
      // Conditions see the caller as it is now, including its tags and organisation.
      const { entries, boundary } = await identityOf(caller, lookup)
      const accounts = await accountsOf(caller.accountId, { keys: new Map() }, lookup)
      const context = requestContext({
        caller,
        action: 'kms:PutKeyPolicy',
        region,
        now: clock.now(),
        ...origin,
        resourceAccountId: key.accountId,
        ...organizationsOf(accounts, caller.accountId, key.accountId),
        entries,
      })
      const resource = { arn: keyArn(partition, key), accountId: key.accountId }
      return checkKeyPolicy(policy, {
        caller,
        resource,
        context,
        partition,
        bypassLockoutCheck,
        bounded: boundary !== undefined,
        principalExists,
      })
    },
  }
}
