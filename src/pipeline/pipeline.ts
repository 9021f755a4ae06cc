/**
 * The path of one request, top to bottom. Each step is a folder; AWS's own order of errors is the
 * order of the steps, and `docs/adr/0002-order-of-checks.md` says where that is known from.
 * @module
 */
import { authenticate } from '../authenticate/signature-v4.ts'
import { attemptsMax, decide, standingOf, type Asked, type Identified } from './decide.ts'
import { KmsError } from '../errors.ts'
import { callsFor, partyOf } from '../model/party.ts'
import type { Operation } from '../operations/contract/operation.ts'
import { readCallInput } from '../wire/call-input.ts'
import { requireServedByService } from '../authenticate/service-limits.ts'
import { sealAnswer } from '../resolve/recipient.ts'
import { requireMatchingKey } from '../resolve/resolve.ts'
import { withServiceSide } from '../resolve/service-side.ts'
import { unmadeKeyIn } from '../resolve/unmade-keys.ts'
import { requireIdentities } from '../resolve/identities.ts'
import type { Target } from '../wire/aws-json.ts'
import { protocolOf } from '../wire/protocol.ts'
import type { RawRequest, RawResponse } from '../wire/request.ts'
import { openCall, type RunningCall } from './running-call.ts'
import type { PipelinePorts } from './dependencies.ts'

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
    const identifying = { request, operation, arrivedAt: ports.clock.system(), route: target }
    const identified = await identify(identifying, ports) //                         3 authenticate
    const { caller, scope } = identified
    callsFor(request.signal, partyOf(caller))
    const call = openCall({ request, requestId, operation, caller, scope }, ports)
    const whose = { identified, identifyAgain: () => identify(identifying, ports) }
    const output = await call.record(() => perform(call, whose, ports)) //           8 audit, around 4 to 7
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

async function perform(
  call: RunningCall,
  whose: Required<Pick<Asked, 'identified' | 'identifyAgain'>>,
  ports: PipelinePorts,
): Promise<unknown> {
  const input = call.readInput() //                                                   4 read
  const { operation, request } = call
  requireServedByService(call.caller, operation)
  operation.check?.(input)
  const recipient = await ports.recipientOf(operation, input, request.signal)
  call.sealsFor(recipient)
  const { identifyAgain } = whose
  const again = { input, recipient, identifyAgain, charged: true }
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await (attempt === 1
        ? decideAndRun(call, { ...again, ...whose, charged: false }, ports)
        : ports.inTurn(() => decideAndRun(call, again, ports), partyOf(call.caller)))
    } catch (error) {
      if (!call.mayDecideAgain(error)) throw error
      if (attempt === attemptsMax) throw error
    }
  }
}

async function decideAndRun(
  call: RunningCall,
  asked: Asked & {
    /** The key that it asks for has been made. */
    readonly made?: true
  },
  ports: PipelinePorts,
): Promise<unknown> {
  const { operation, request } = call
  const { input, recipient } = asked
  const decided = await decide(call, asked, ports) //                                 4 to 6
  const { resolved } = decided
  const unmade = unmadeKeyIn(resolved)
  if (unmade !== undefined) {
    if (asked.made) throw new Error(`${unmade.alias.name} is not found though it was made`)
    call.refuseDryRun(input)
    await ports.makeManagedKey(unmade, request.signal)
    const { identifyAgain } = asked
    const again = { input, recipient, identifyAgain, charged: true, made: true } as const
    return decideAndRun(call, again, ports)
  }
  call.isAuthorized()
  requireIdentities(resolved.identities)
  for (const key of resolved.keys.values()) await requireMatchingKey(key, input, ports.lookup)
  const keys = call.requireUsable(resolved) //                                        7 run
  const standing = standingOf(call, decided, asked, ports)
  const running = call.forOperation(input, { ...decided, keys, standing })
  const output = await operation.run(
    withServiceSide(operation, running, ports.operations),
    ports.operations,
  )
  call.refuseDryRun(input)
  if (!call.hasCommitted()) await standing.confirm()
  if (operation.recipient === undefined || recipient === undefined) return output
  return sealAnswer(output, operation.recipient, recipient)
}

/** @throws {KmsError} `UnknownOperationException` */
export function findOperation(target: Target, registry: PipelinePorts['registry']): Operation {
  const operation = registry.get(`${target.service}:${target.operation}`)
  if (operation === undefined) throw new KmsError('UnknownOperationException')
  return operation
}

type Named = Omit<Identified, 'since'>

interface Identifying {
  readonly request: RawRequest
  readonly operation: Operation
  /** Milliseconds since the epoch, of the system's clock: its signature is as fresh as it was then. */
  readonly arrivedAt: number
  readonly route: Target | undefined
}

/** Each door has its own way in, and leads to the operations that declare it only. */
async function identify(identifying: Identifying, ports: PipelinePorts): Promise<Identified> {
  const { request, operation, route } = identifying
  const { door } = operation
  if (!doorsTo(request, route).includes(door)) throw new KmsError('UnknownOperationException')
  const since = ports.store.epoch()
  if (door === 'operator' || door === 'test') {
    const [caller, scope] = ports.insider(door)
    return { since, caller, scope }
  }
  const identified =
    door === 'token' ? bearer(request, operation, ports) : signer(identifying, ports)
  const named = await identified.catch((error: unknown) => {
    if (error instanceof KmsError) ports.refusals.note(error.code, request.remoteAddress)
    throw error
  })
  return { since, ...named }
}

export function doorsTo(
  { listener }: Pick<RawRequest, 'listener'>,
  route: Target | undefined,
): readonly Operation['door'][] {
  if (route !== undefined) return ['test', 'service']
  return listener === 'operator' ? ['operator'] : ['signed', 'token']
}

async function signer(
  { request, operation: { service }, arrivedAt: systemNow }: Identifying,
  { credentials, signingKeys, regions, callerOf }: PipelinePorts,
): Promise<Named> {
  const expected = { service, regions, systemNow }
  const signed = await authenticate(request, expected, credentials, signingKeys)
  const { region, partition } = signed
  const caller = await callerOf(signed, request)
  return { caller, scope: { accountId: caller.accountId, region, partition } }
}

/** The token is a member of the input, which is read before it is known who brings it. */
async function bearer(
  request: RawRequest,
  operation: Operation,
  { tokenBearer }: PipelinePorts,
): Promise<Named> {
  const { token } = operation
  if (token === undefined) throw new Error(`${operation.name} does not say where its token is`)
  const input = readCallInput(operation, request)
  operation.check?.(input)
  const given = { roleArn: String(input[token.role]), token: String(input[token.from]) }
  const [caller, scope] = await tokenBearer(given)
  return { caller, scope }
}
