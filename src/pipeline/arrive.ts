/** Steps 1 to 3: what a request asks for, who calls, and with which input. @module */
import { identify } from '../authenticate/identify.ts'
import { requireServedByService } from '../authenticate/service-limits.ts'
import { KmsError } from '../errors.ts'
import { andThen, orElse, type Awaitable } from '../model/awaitable.ts'
import { callsFor, partyOf } from '../model/party.ts'
import type { Operation } from '../operations/contract/operation.ts'
import { newWork } from '../policy/work.ts'
import type { Recipient } from '../resolve/recipient.ts'
import type { Target } from '../wire/aws-json.ts'
import { readCallInput } from '../wire/call-input.ts'
import { protocolOf } from '../wire/protocol.ts'
import { createIds, originOf } from './call-facts.ts'
import type { PipelineDependencies } from './dependencies.ts'
import { StepFailed } from './stage-list.ts'
import type { Arrived, Attempts, Found, Identified, IdentifiedCaller, Read } from './stages.ts'

/** @throws {KmsError} `UnknownOperationException` */
export function find(
  arrived: Arrived,
  { registry }: Pick<PipelineDependencies, 'registry'>,
): Found {
  const { request, route } = arrived
  const target = route ?? protocolOf(request).readTarget(request)
  try {
    return { ...arrived, target, operation: findOperation(target, registry) }
  } catch (error) {
    throw new StepFailed({ ...arrived, target }, error)
  }
}

/** @throws {KmsError} `UnknownOperationException` */
export function findOperation(
  target: Target,
  registry: PipelineDependencies['registry'],
): Operation {
  const operation = registry.get(`${target.service}:${target.operation}`)
  if (operation === undefined) throw new KmsError('UnknownOperationException')
  return operation
}

/**
 * Refuses calls while this node does not know the latest changes. Operators are served: they find out why.
 * @throws {KmsError} `ServiceUnavailableException`
 */
function requireFresh({ request }: Found, { store }: Pick<PipelineDependencies, 'store'>): void {
  const why = request.listener === 'operator' ? undefined : store.freshness.refusal()
  if (why === undefined) return
  throw new KmsError('ServiceUnavailableException', `this node cannot decide calls: ${why}`)
}

/** @throws {KmsError} of a caller who cannot be proved: such a call leaves no record */
export function authenticate(
  found: Found,
  dependencies: PipelineDependencies,
): Awaitable<Identified> {
  const { clock, random, store } = dependencies
  const { request, operation, route } = found
  requireFresh(found, dependencies)
  const identifying = { request, operation, arrivedAt: clock.system(), route }
  const identifyAgain = (): Awaitable<IdentifiedCaller> => {
    const confirmed = store.freshness.moment()
    const since = store.epoch()
    const identified = identify(identifying, dependencies)
    return andThen(identified, ([caller, scope]) => ({ caller, scope, since, confirmed }))
  }
  return andThen(identifyAgain(), (identity) => {
    callsFor(request.signal, partyOf(identity.caller))
    return {
      ...found,
      ...identity,
      origin: originOf(request),
      eventId: random.uuid(),
      idOf: createIds(random),
      work: newWork(),
      identifyAgain,
    }
  })
}

const firstAttempt: Attempts = { number: 1, turns: 0, charged: false, made: false }

/** The input is checked before anything is looked up. @throws {KmsError} */
export function readInput(
  identified: Identified,
  { recipientOf }: Pick<PipelineDependencies, 'recipientOf'>,
): Awaitable<Read> {
  const { operation, request, caller } = identified
  const input = readCallInput(operation, request)
  const check = (): Awaitable<Recipient | undefined> => {
    requireServedByService(caller, operation)
    operation.check?.(input)
    return recipientOf(operation, input, request.signal)
  }
  const failed = (error: unknown): never => {
    throw new StepFailed({ ...identified, input }, error)
  }
  return andThen(orElse(check, failed), (recipient) => ({
    ...identified,
    input,
    recipient,
    attempts: firstAttempt,
  }))
}
