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
import { unmadeKeyIn } from '../resolve/unmade-keys.ts'
import { decideCall } from '../authorize/decide-call.ts'
import { accountOf } from '../audit/records/record.ts'
import { KmsError } from '../errors.ts'
import { chargeCall } from './charge.ts'
import type { PipelinePorts } from './dependencies.ts'
import { openFacts, type Facts } from './facts.ts'
import { StepFailed, type Decided, type Reached, type Read, type Resolved } from './stages.ts'

/** How often a call is decided again because its facts have changed. */
export const attemptsMax = 8

/** How `decide` takes the call. */
export interface Deciding {
  /** The caller is identified again before the first attempt too. */
  readonly identifyAgain: boolean
  /** The request counts against its quota and meets its test faults. This happens once for each call. */
  readonly charge: boolean
}

/** One attempt: the value that it reached, and why it went no further. */
interface Attempt {
  readonly reached: Reached
  readonly charged: boolean
  readonly failure?: { readonly error: unknown; readonly final: boolean }
}

/**
 * Every permission is given in the answer.
 * @throws {StepFailed} with what refuses the call; `ThrottlingException` when its facts keep changing
 */
export async function decide(
  read: Read,
  { identifyAgain, charge }: Deciding,
  ports: PipelinePorts,
): Promise<Decided> {
  let identified = identifyAgain ? undefined : read
  let charged = !charge
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    identified ??= await identifiedAgain(read)
    const facts = openFacts({ ...ports, store: ports.operations.store }, identified.since)
    const tried = await decideOnce(identified, { facts, charge: !charged }, ports)
    const { reached, failure } = tried
    charged ||= tried.charged
    const final = failure?.final === true || (failure !== undefined && attempt === attemptsMax)
    // A refusal is as much a decision as its opposite.
    if (final || (await facts.hold(ports.store))) {
      if (failure !== undefined) throw new StepFailed(reached, failure.error)
      return reached as Decided // it went the whole way
    }
    identified = undefined
  }
  throw new StepFailed(read, new Unsettled())
}

async function identifiedAgain(read: Read): Promise<Read> {
  try {
    return { ...read, ...(await read.identifyAgain()) }
  } catch (error) {
    throw new StepFailed(read, error)
  }
}

async function decideOnce(
  read: Read,
  { facts, charge }: { readonly facts: Facts; readonly charge: boolean },
  ports: PipelinePorts,
): Promise<Attempt> {
  let reached: Reached = read
  let charged = false
  // An outage or a bug is no decision: it is not tried again.
  const failed = (error: unknown, final = !(error instanceof KmsError)): Attempt => ({
    reached,
    charged,
    failure: { error, final },
  })
  try {
    const resolved = await resolve(read, facts) //                                      4 resolve
    reached = resolved
    if (charge) {
      charged = true
      try {
        await chargeCall(resolved, ports) //                                            5 throttle
      } catch (error) {
        return failed(error, true)
      }
    }
    const decided = await authorize(resolved, ports) //                                 6 authorize
    reached = decided
    const { refusal } = decided.decision
    return refusal === undefined ? { reached, charged } : failed(refusal.error)
  } catch (error) {
    return failed(error)
  }
}

async function resolve(read: Read, facts: Facts): Promise<Resolved> {
  const { operation, input, caller, scope } = read
  facts.noteCaller(caller)
  const resolved = await resolveCall(operation, input, { caller, scope, ...facts })
  return { ...read, resolved, concerned: concernedResources(resolved, scope.partition), facts }
}

async function authorize(resolved: Resolved, ports: PipelinePorts): Promise<Decided> {
  const { caller, concerned, recipient, requestId, facts } = resolved
  const { keyUsages, principals } = ports.operations
  const now = ports.clock.now()
  const ownAccountId = accountOf({ caller, resources: concerned.resources })
  const decision = await decideCall(
    { ...resolved, now, attested: recipient?.conditions, ownAccountId },
    { lookup: facts.lookup, keyUsages, principals, onEvaluated: ports.meter.authorized },
  )
  for (const broken of decision.brokenPolicies) {
    ports.log.warn({ requestId, ...broken }, 'a policy is broken: it denies')
  }
  return { ...resolved, decision, decidedAt: now }
}

/** Whether every permission of the call is given, for keys that all exist. */
export function isAuthorized({ decision, resolved }: Reached): boolean {
  return (
    decision !== undefined &&
    decision.refusal === undefined &&
    resolved !== undefined &&
    unmadeKeyIn(resolved) === undefined
  )
}

/**
 * The facts of a call kept changing. The pipeline decides such a call again in turn; a caller that gets this
 * error can try again, because nobody can change its facts for ever.
 */
export class Unsettled extends KmsError {
  constructor() {
    super(
      'ThrottlingException',
      'What the request depends on keeps changing. Reduce the frequency of your calls.',
    )
  }
}
