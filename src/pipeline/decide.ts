/**
 * Steps 4 to 6 of a call: its names are resolved and every permission is decided, on facts of one moment.
 *
 * INVARIANT (one moment): if a fact changed since the first was read, all are gathered again.
 * INVARIANT (decided when it counts): before a change commits, and before an answer leaves, the caller and
 * its permissions are decided again if a fact has changed since, or if the decision has grown old.
 * @see docs/adr/0024-decisions-of-one-moment.md
 * @module
 */
import { concernedResources } from '../resolve/concerned.ts'
import { resolveCall } from '../resolve/resolve-call.ts'
import { decideCall } from '../authorize/decide-call.ts'
import { accountOf } from '../audit/records/record.ts'
import { KmsError } from '../errors.ts'
import { noteThrottle } from '../lifecycle/key-store-figures.ts'
import { andThen, orElse, type Awaitable } from '../model/awaitable.ts'
import { globalRegionOf } from '../model/region.ts'
import type { Operation } from '../operations/contract/operation.ts'
import { tooFast } from '../throttle/throttle.ts'
import { attemptsMax, Unsettled } from './again.ts'
import type { PipelineDependencies } from './dependencies.ts'
import { openFacts } from './facts.ts'
import { Again, StepFailed } from './stage-list.ts'
import type { Decided, Failed, Read, Recordable, Resolved } from './stages.ts'

/** Step 4. @throws {KmsError} in AWS's words for a name that resolves to nothing */
export function resolve(read: Read, dependencies: PipelineDependencies): Awaitable<Resolved> {
  const { operation, input, caller, scope, since } = read
  const { store } = dependencies.operations
  const { lookup, findGrant, grantTokens } = dependencies
  const facts = openFacts({ lookup, store, findGrant, grantTokens }, since)
  facts.noteCaller(caller)
  const names = orElse(
    () => resolveCall(operation, input, { caller, scope, ...facts }),
    (error) => {
      throw new StepFailed({ ...read, facts, read }, error)
    },
  )
  return andThen(names, (resolved) => {
    const concerned = concernedResources(resolved, scope.partition)
    return { ...read, resolved, concerned, facts, read }
  })
}

const limitedServices: ReadonlySet<Operation['service']> = new Set([
  'kms',
  'iam',
  'sts',
  'cloudtrail',
  'monitoring',
  'tagging',
  'kms-xks-proxy',
])

/**
 * Step 5: a call counts against its request quota, and meets the faults that tests asked for. Only KMS has
 * faults.
 * @throws {KmsError} `ThrottlingException`, or the fault that a test has asked for
 */
export function charge(
  resolved: Resolved,
  dependencies: ChargingDependencies,
): Awaitable<Resolved> {
  const { throttle, faults } = dependencies
  const { operation, caller, scope, input, request, attempts } = resolved
  const { service, name } = operation
  if (attempts.charged || !limitedServices.has(service)) return resolved
  const specs = [...resolved.resolved.keys.values()].flatMap(
    ({ known }) => known?.record.spec ?? [],
  )
  // A service in its own name belongs to no account: it has a quota of its own.
  // An XKS proxy has a quota of its own too: its clients share a path.
  const own = caller.kind === 'xks-client' ? caller.uniqueId : caller.accountId
  const charged = caller.service === undefined ? own : caller.service.regionalName
  // IAM has one Region in a partition, so naming many Regions gives nobody more than one quota.
  const region = service === 'iam' ? globalRegionOf(scope) : scope.region
  throttle.admit(charged, region, { service, operation: name, input, specs })
  requireRoomInStores(resolved, dependencies)
  const struck = service === 'kms' ? faults.strike(name, request.signal) : undefined
  return struck === undefined ? resolved : struck.then(() => resolved)
}

type ChargingDependencies = Pick<
  PipelineDependencies,
  'throttle' | 'faults' | 'keyStoreFigures' | 'meter'
>

/** A custom key store has a quota for the use of its keys. @throws {KmsError} `ThrottlingException` */
function requireRoomInStores(
  { operation, resolved }: Resolved,
  { throttle, keyStoreFigures, meter }: ChargingDependencies,
): void {
  if (operation.tracksUsage === undefined || operation.service !== 'kms') return
  for (const { known } of resolved.keys.values()) {
    const { accountId, region, customKeyStoreId: storeId, origin } = known?.record ?? {}
    if (accountId === undefined || region === undefined || storeId === undefined) continue
    if (throttle.admitToKeyStore(storeId, region)) continue
    meter.throttledKeyStore()
    if (origin === 'EXTERNAL_KEY_STORE') {
      noteThrottle({ accountId, region, storeId }, operation.name, keyStoreFigures)
    }
    throw tooFast('kms')
  }
}

/** Step 6. The decision may be a refusal. */
export function authorize(
  resolved: Resolved,
  dependencies: PipelineDependencies,
): Awaitable<Decided> {
  const { operation, caller, scope, origin, input, work } = resolved
  const { concerned, recipient, requestId, facts } = resolved
  const { keyUsages, principals } = dependencies.operations
  const now = dependencies.clock.now()
  const ownAccountId = accountOf({ caller, resources: concerned.resources })
  const deciding = decideCall(
    {
      operation,
      caller,
      scope,
      origin,
      now,
      attested: recipient?.conditions,
      work,
      input,
      resolved: resolved.resolved,
      ownAccountId,
    },
    { lookup: facts.lookup, keyUsages, principals, onEvaluated: dependencies.meter.authorized },
  )
  return andThen(deciding, (decision) => {
    for (const broken of decision.brokenPolicies) {
      dependencies.log.warn({ requestId, ...broken }, 'a policy is broken: it denies')
    }
    return { ...resolved, decision, decidedAt: now }
  })
}

/**
 * Sends the call back if a fact has changed since the first was read. A refusal is as much a decision as its
 * opposite.
 * @throws {KmsError} what refuses the call; `ThrottlingException` when its facts keep changing
 */
export function requireOneMoment(
  settled: Decided | Failed,
  { store }: Pick<PipelineDependencies, 'store'>,
): Awaitable<Decided | Again<Read>> {
  const { facts, read, resolved } = settled instanceof StepFailed ? settled.reached : settled
  if (facts === undefined || read === undefined) throw settled
  if (settled instanceof StepFailed) {
    // An outage or a bug is no decision. Neither is the refusal of a quota.
    if (!(settled.cause instanceof KmsError) || resolved !== undefined) throw settled
  }
  const isAllowed = !(settled instanceof StepFailed) && settled.decision.refusal === undefined
  return andThen(facts.hold(store, isAllowed ? 'allowed' : 'refused'), (holds) => {
    const { attempts } = read
    if (!holds && attempts.number < attemptsMax) {
      const charged = attempts.charged || resolved !== undefined
      return new Again({ ...read, attempts: { ...attempts, number: attempts.number + 1, charged } })
    }
    if (settled instanceof StepFailed) throw settled
    if (settled.decision.refusal !== undefined) throw settled.decision.refusal.error
    if (!holds) throw new StepFailed({ ...read, read }, new Unsettled())
    return settled
  })
}

/** Whether every permission of the call is given, for keys that all exist. */
export function isAuthorized({ decision, resolved }: Recordable): boolean {
  return (
    decision !== undefined &&
    decision.refusal === undefined &&
    resolved !== undefined &&
    resolved.unmade === undefined
  )
}
