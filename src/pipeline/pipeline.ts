/**
 * The path of one request, from top to bottom. Each step is a folder, and returns a value that the next step
 * needs. AWS's own order of errors is the order of the steps: see `docs/adr/0002-order-of-checks.md`.
 * @module
 */
import { identify } from '../authenticate/identify.ts'
import { requireServedByService } from '../authenticate/service-limits.ts'
import { KmsError } from '../errors.ts'
import { callsFor, partyOf } from '../model/party.ts'
import type { Operation } from '../operations/contract/operation.ts'
import { newWork } from '../policy/work.ts'
import { unmadeKeyIn } from '../resolve/unmade-keys.ts'
import { StaleRow } from '../store/store.ts'
import type { Target } from '../wire/aws-json.ts'
import { readCallInput } from '../wire/call-input.ts'
import { protocolOf } from '../wire/protocol.ts'
import type { RawRequest, RawResponse } from '../wire/request.ts'
import { createIds, originOf } from './call-facts.ts'
import { attemptsMax, decide, Unsettled } from './decide.ts'
import type { PipelinePorts } from './dependencies.ts'
import { recordCall } from './record.ts'
import { permit, refuseDryRun, run } from './run.ts'
import {
  StepFailed,
  type Answered,
  type Identified,
  type Identity,
  type Reached,
  type Read,
} from './stages.ts'

/** Answers one request; never throws. `target` is given by routes that are not AWS's API. */
export async function handle(
  request: RawRequest,
  ports: PipelinePorts,
  target?: Target,
): Promise<RawResponse> {
  const requestId = ports.random.uuid()
  const protocol = protocolOf(request)
  let named = target
  let found: Operation | undefined
  let outcome = 'success'
  const started = performance.now()
  try {
    named ??= protocol.readTarget(request) //                                        1 wire
    const operation = findOperation(named, ports.registry) //                        2 operations
    found = operation
    const identified = await begin({ request, requestId, operation, target }, ports) // 3 authenticate
    const output = await recordCall(identified, perform(identified, ports), ports) // 8 audit, after 4 to 7
    return protocol.renderAnswer(output, requestId, named) //                        9 wire
  } catch (error) {
    // Callers may hang up as often as they like: that is no failure of ours.
    const hungUp = request.signal.aborted && error === request.signal.reason
    const expected = error instanceof KmsError ? error.code : undefined
    outcome = hungUp ? 'hung-up' : (expected ?? 'KMSInternalException')
    if (hungUp) ports.log.debug({ requestId }, 'the caller hung up')
    else if (expected === undefined) ports.log.error({ err: error, requestId }, 'request failed')
    return protocol.renderError(error, requestId, named)
  } finally {
    ports.meter.answered(found, outcome, performance.now() - started)
  }
}

/** @throws {KmsError} `UnknownOperationException` */
export function findOperation(target: Target, registry: PipelinePorts['registry']): Operation {
  const operation = registry.get(`${target.service}:${target.operation}`)
  if (operation === undefined) throw new KmsError('UnknownOperationException')
  return operation
}

/** @throws {KmsError} of a caller who cannot be proved: such a call leaves no record */
async function begin(
  of: Pick<Identified, 'request' | 'requestId' | 'operation'> & {
    readonly target?: Target | undefined
  },
  ports: PipelinePorts,
): Promise<Identified> {
  const { request, requestId, operation, target } = of
  const identifying = { request, operation, arrivedAt: ports.clock.system(), route: target }
  const identifyAgain = async (): Promise<Identity> => {
    const since = ports.store.epoch()
    return { since, ...(await identify(identifying, ports)) }
  }
  const identity = await identifyAgain()
  callsFor(request.signal, partyOf(identity.caller))
  return {
    ...identity,
    operation,
    request,
    requestId,
    origin: originOf(request),
    eventId: ports.random.uuid(),
    idOf: createIds(ports.random),
    work: newWork(),
    identifyAgain,
  }
}

/** @throws {StepFailed} */
async function perform(identified: Identified, ports: PipelinePorts): Promise<Answered> {
  const read = await readCall(identified, ports)
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (attempt === 1) return await decideAndRun(read, { again: false }, ports)
      const again = (): Promise<Answered> => decideAndRun(read, { again: true }, ports)
      return await ports.inTurn(again, partyOf(read.caller))
    } catch (error) {
      if (!mayDecideAgain(error) || attempt === attemptsMax) throw error
    }
  }
}

/** True for a failure that says: the rows or facts that the call was decided on have changed. */
function mayDecideAgain(error: unknown): boolean {
  return (
    error instanceof StepFailed &&
    (error.cause instanceof StaleRow || error.cause instanceof Unsettled) &&
    error.reached.effects?.committed === undefined
  )
}

/** The input is checked before anything is looked up. @throws {StepFailed} */
async function readCall(identified: Identified, ports: PipelinePorts): Promise<Read> {
  const { operation, request, caller } = identified
  let reached: Reached = identified
  try {
    const input = readCallInput(operation, request)
    reached = { ...identified, input }
    requireServedByService(caller, operation)
    operation.check?.(input)
    const recipient = await ports.recipientOf(operation, input, request.signal)
    return { ...identified, input, recipient }
  } catch (error) {
    throw new StepFailed(reached, error)
  }
}

/** @throws {StepFailed} */
async function decideAndRun(
  read: Read,
  of: { readonly again: boolean; readonly made?: true },
  ports: PipelinePorts,
): Promise<Answered> {
  const { again, made } = of
  const decided = await decide(read, { identifyAgain: again, charge: !again }, ports) // 4 to 6
  const unmade = unmadeKeyIn(decided.resolved)
  if (unmade !== undefined) {
    try {
      if (made) throw new Error(`${unmade.alias.name} is not found though it was made`)
      refuseDryRun(read.input)
      await ports.makeManagedKey(unmade, read.request.signal)
    } catch (error) {
      throw new StepFailed(decided, error)
    }
    return decideAndRun(read, { again: true, made: true }, ports)
  }
  return run(await permit(decided, ports), ports) //                                  7 run
}
