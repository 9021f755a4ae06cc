/**
 * Step 6: gathers the facts of a call and decides every permission that it needs.
 * @module
 */
import { allOf, andThen, type Awaitable } from '../model/awaitable.ts'
import type { Lookup } from '../cache/cached-records.ts'
import { aliasNotFound } from '../resolve/resolve.ts'
import { withAliasNames } from './alias-names.ts'
import { withRoleArns } from './role-ids.ts'
import type { ResolvedNames } from '../resolve/resolved.ts'
import type { KeyUsages, Principals } from '../operations/contract/dependencies.ts'
import type { Reason } from '../policy/decision.ts'
import { newWork } from '../policy/work.ts'
import { accountsOf } from './accounts.ts'
import { idleDays } from './idle-days.ts'
import { identityOf } from './identity.ts'
import { authorizeCall, type Asking } from './permissions.ts'
import { refusalOfProxyCall } from './served-proxies.ts'

/** Every permission of a call, decided. */
export interface CallDecision {
  /** The error that the caller gets; present when the call is refused. */
  readonly refusal?: { readonly error: unknown }
  readonly reasons: readonly (Reason & { readonly action: string })[]
  /** Permissions whose resource belongs to another account than the record's. */
  readonly foreignActions: ReadonlySet<string>
  /** Policies that cannot be read or evaluated. They deny. */
  readonly brokenPolicies: readonly { readonly action: string; readonly error: string }[]
}

/** The call, as far as its decision needs it. */
export interface DecidingCall extends Omit<Asking, 'identity' | 'accounts' | 'idle'> {
  readonly input: Readonly<Record<string, unknown>>
  readonly resolved: ResolvedNames
  /** The account that the caller's record belongs to. */
  readonly ownAccountId: string
}

export interface DecidingDependencies {
  readonly lookup: Lookup
  readonly keyUsages: KeyUsages
  readonly principals: Principals
  /** Milliseconds of the evaluation itself, without the wait for facts. */
  readonly onEvaluated: (milliseconds: number) => void
}

export function decideCall(
  asked: DecidingCall,
  dependencies: DecidingDependencies,
): Awaitable<CallDecision> {
  if (asked.caller.kind === 'xks-client') return decideProxyCall(asked, dependencies)
  return andThen(gather(asked, dependencies), (facts) => evaluate(asked, facts, dependencies))
}

function decideProxyCall(
  { operation, caller, input, resolved, work = newWork() }: DecidingCall,
  { lookup }: Pick<DecidingDependencies, 'lookup'>,
): Awaitable<CallDecision> {
  const keyId = resolved.keys.get('key')?.known?.record.keyId
  const call = { caller, operation: operation.name, input, keyId, work }
  return andThen(refusalOfProxyCall(call, lookup), (error) => ({
    reasons: [],
    foreignActions: new Set(),
    brokenPolicies: [],
    ...(error && { refusal: { error } }),
  }))
}

/** What a decision needs to know in addition to the call. */
interface DecidingFacts extends Pick<Asking, 'identity' | 'accounts' | 'idle'> {
  /** The input, with ARNs instead of unique ids. */
  readonly meant: DecidingCall['input']
  readonly keys: ResolvedNames['keys']
}

function gather(
  { operation, caller, scope, now, input, resolved }: DecidingCall,
  { lookup, keyUsages, principals }: DecidingDependencies,
): Awaitable<DecidingFacts> {
  const facts = allOf([
    identityOf(caller, lookup),
    accountsOf(caller.accountId, resolved, lookup),
    idleDays(operation, resolved, keyUsages, now),
    withRoleArns(operation, input, principals, scope.partition),
  ])
  return andThen(facts, ([identity, accounts, idle, meant]) =>
    andThen(withAliasNames(resolved.keys, identity, lookup), (keys) => ({
      identity,
      accounts,
      idle,
      keys,
      meant,
    })),
  )
}

function evaluate(
  call: DecidingCall,
  { meant, keys, identity, accounts, idle }: DecidingFacts,
  { onEvaluated }: DecidingDependencies,
): CallDecision {
  const { operation, caller, scope, origin, now, attested, work, resolved, ownAccountId } = call
  const reasons: (Reason & { readonly action: string })[] = []
  const foreignActions = new Set<string>()
  const brokenPolicies: { readonly action: string; readonly error: string }[] = []
  const decided = (refusal?: { readonly error: unknown }): CallDecision => ({
    reasons,
    foreignActions,
    brokenPolicies,
    ...(refusal && { refusal }),
  })
  const started = performance.now()
  try {
    authorizeCall(
      // Named one by one: a copy of everything that the call carries takes some microseconds.
      { operation, caller, scope, origin, now, attested, work, identity, accounts, idle },
      meant,
      { ...resolved, keys },
      (action, decision, accountId) => {
        if (accountId !== ownAccountId) foreignActions.add(action)
        for (const reason of decision.reasons) reasons.push({ action, ...reason })
        for (const error of decision.errors) brokenPolicies.push({ action, error })
      },
    )
    return decided()
  } catch (error) {
    const { unmade } = resolved
    return decided({
      error: unmade === undefined ? error : aliasNotFound(unmade.alias, scope),
    })
  } finally {
    onEvaluated(performance.now() - started)
  }
}
