/**
 * The path of one request, top to bottom. Each step is a folder; AWS's own order of errors is the
 * order of the steps, and `docs/adr/0002-order-of-checks.md` says where that is known from.
 * @module
 */
import { authenticate } from './authenticate/signature-v4.ts'
import { KmsError } from './errors.ts'
import type { Caller } from './model/caller.ts'
import type { Operation } from './operations/operation.ts'
import { accountsOf } from './resolve/known-accounts.ts'
import { readCallInput } from './resolve/call-input.ts'
import type { Place } from './resolve/identifiers.ts'
import { authorizeCall } from './resolve/permissions.ts'
import { requireServedByService } from './resolve/service-limits.ts'
import { type Recipient, sealAnswer } from './resolve/recipient.ts'
import { aliasNotFound, requireMatchingKey, resolveCall, type Resolved } from './resolve/resolve.ts'
import { unmadeKeyIn } from './resolve/unmade-keys.ts'
import { identityOf } from './resolve/known-identities.ts'
import { withAliasNames } from './resolve/alias-names.ts'
import { idleDays } from './resolve/idle-days.ts'
import { resolveAssumedRole } from './resolve/assumed-roles.ts'
import { requireIdentities, resolveIdentities } from './resolve/identities.ts'
import type { Target } from './wire/aws-json.ts'
import { protocolOf } from './wire/protocol.ts'
import type { RawRequest, RawResponse } from './wire/request.ts'
import { openCall, type PipelinePorts, type RunningCall } from './running-call.ts'

/** How often a call decides again after the rows it had read were changed under it. */
const attemptsMax = 8

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
    const [caller, place] = await identify(request, operation, ports, target) //     3 authenticate
    const call = openCall({ request, requestId, operation, caller, place }, ports)
    const output = await call.record(() => perform(call, ports)) //                  8 audit, around 4 to 7
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

async function perform(call: RunningCall, ports: PipelinePorts): Promise<unknown> {
  const input = call.readInput() //                                                   4 read
  const { operation, request } = call
  requireServedByService(call.caller, operation)
  operation.check?.(input)
  const recipient = await ports.recipientOf(operation, input, request.signal)
  call.sealsFor(recipient)
  for (let attempt = 1; ; attempt += 1) {
    const decide = (): Promise<unknown> =>
      decideAndRun(call, { input, recipient, again: attempt > 1 }, ports)
    try {
      return await (attempt === 1 ? decide() : ports.inTurn(decide))
    } catch (error) {
      if (!call.mayDecideAgain(error) || attempt === attemptsMax) throw error
    }
  }
}

async function decideAndRun(
  call: RunningCall,
  given: {
    readonly input: Readonly<Record<string, unknown>>
    readonly recipient: Recipient | undefined
    /** The call has been decided before, on rows that have changed since. */
    readonly again: boolean
    /** The key that it asks for has been made. */
    readonly made?: true
  },
  ports: PipelinePorts,
): Promise<unknown> {
  const { operation, caller, place, origin, request } = call
  const { input, recipient } = given
  const { lookup, grantTokens, findGrant } = ports
  const resolving = { caller, place, lookup, grantTokens, findGrant }
  const refreshed = lookup.refresh()
  if (refreshed !== undefined) await refreshed
  const named = await resolveCall(operation, input, resolving) //                      4 resolve
  const { store } = ports.operations
  const identities = await resolveIdentities(call, operation, input, store)
  const assumed = await resolveAssumedRole(call, operation, input, { store, lookup })
  const resolved = { ...named, identities, ...(assumed && { assumed }) }
  call.concerns(resolved)
  const struck = given.again ? undefined : draw(call, input, resolved, ports) //       5 throttle
  if (struck !== undefined) await struck
  const now = ports.clock.now()
  const known = identityOf(caller, lookup)
  const identity = known instanceof Promise ? await known : known
  const members = accountsOf(caller.accountId, resolved, lookup)
  const accounts = members instanceof Promise ? await members : members
  const attested = recipient?.conditions
  const idle = operation.asksIdleDays
    ? await idleDays(operation, resolved, ports.operations.keyUsages, now)
    : undefined
  const asking = { operation, caller, place, origin, now, identity, accounts, attested, idle }
  const aliased = withAliasNames(resolved.keys, identity, lookup)
  const asked = { ...resolved, keys: aliased instanceof Promise ? await aliased : aliased }
  const unmade = unmadeKeyIn(resolved)
  const started = performance.now()
  try {
    authorizeCall(asking, input, asked, call.onDecision) //                           6 authorize
  } catch (error) {
    throw unmade === undefined ? error : aliasNotFound(unmade.alias, place)
  } finally {
    ports.meter.authorized(performance.now() - started)
  }
  if (unmade !== undefined) {
    if (given.made) throw new Error(`${unmade.alias.name} is not found though it was made`)
    call.refuseDryRun(input)
    await ports.makeManagedKey(unmade, request.signal)
    return decideAndRun(call, { ...given, again: true, made: true }, ports)
  }
  call.isAuthorized()
  requireIdentities(identities)
  for (const key of resolved.keys.values()) await requireMatchingKey(key, input, lookup)
  const keys = call.requireUsable(resolved) //                                        7 run
  const output = await operation.run(call.forOperation(input, keys, resolved), ports.operations)
  call.refuseDryRun(input)
  if (operation.recipient === undefined || recipient === undefined) return output
  return sealAnswer(output, operation.recipient, recipient)
}

const limitedServices: ReadonlySet<string> = new Set(['kms', 'cloudtrail', 'monitoring'])

/**
 * AWS names no request quotas of IAM and STS; faults are of KMS alone.
 * @throws {KmsError} `ThrottlingException`, or the fault that a test has asked for
 */
function draw(
  { operation, caller, place, request }: RunningCall,
  input: Readonly<Record<string, unknown>>,
  resolved: Resolved,
  { throttle, faults }: PipelinePorts,
): Promise<void> | undefined {
  const { service, name } = operation
  if (!limitedServices.has(service)) return undefined
  const specs = [...resolved.keys.values()].flatMap(({ known }) => known?.record.spec ?? [])
  // A service in its own name is of no account, and draws on none.
  const drawn = caller.service === undefined ? caller.accountId : caller.service.regionalName
  throttle.admit(drawn, place.region, { service, operation: name, input, specs })
  return service === 'kms' ? faults.strike(name, request.signal) : undefined
}

/** @throws {KmsError} `UnknownOperationException` */
function findOperation(target: Target, registry: PipelinePorts['registry']): Operation {
  const operation = registry.get(`${target.service}:${target.operation}`)
  if (operation === undefined) throw new KmsError('UnknownOperationException')
  return operation
}

/** Each door has its own way in, and leads to the operations that declare it only. */
async function identify(
  request: RawRequest,
  operation: Operation,
  ports: PipelinePorts,
  route: Target | undefined,
): Promise<readonly [Caller, Place]> {
  const { door, service } = operation
  if (!doorsTo(request, route).includes(door)) throw new KmsError('UnknownOperationException')
  if (door === 'operator' || door === 'test') return ports.insider(door)
  const identified =
    door === 'token'
      ? bearer(request, operation, ports)
      : signer(request, { service, regions: ports.regions }, ports)
  return identified.catch((error: unknown) => {
    if (error instanceof KmsError) ports.refusals.note(error.code, request.remoteAddress)
    throw error
  })
}

function doorsTo(
  { listener }: RawRequest,
  route: Target | undefined,
): readonly Operation['door'][] {
  if (route !== undefined) return ['test', 'service']
  return listener === 'operator' ? ['operator'] : ['signed', 'token']
}

async function signer(
  request: RawRequest,
  expected: Omit<Parameters<typeof authenticate>[1], 'systemNow'>,
  { clock, credentials, signingKeys, callerOf }: PipelinePorts,
): Promise<readonly [Caller, Place]> {
  const signed = await authenticate(
    request,
    { ...expected, systemNow: clock.system() },
    credentials,
    signingKeys,
  )
  const { region, partition } = signed
  const caller = await callerOf(signed, request)
  return [caller, { accountId: caller.accountId, region, partition }]
}

/** The token is a member of the input, which is read before it is known who brings it. */
async function bearer(
  request: RawRequest,
  operation: Operation,
  { tokenBearer }: PipelinePorts,
): Promise<readonly [Caller, Place]> {
  const { token } = operation
  if (token === undefined) throw new Error(`${operation.name} does not say where its token is`)
  const input = readCallInput(operation, request)
  operation.check?.(input)
  return tokenBearer({ roleArn: String(input[token.role]), token: String(input[token.from]) })
}
