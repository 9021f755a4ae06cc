/**
 * Step 7: the operation runs, if the usage and the state of its keys allow it.
 *
 * INVARIANT (outbox): a change and its record commit in one transaction.
 * @module
 */
import { keyEvents } from '../audit/records/key-events.ts'
import { insertRecords } from '../audit/outbox.ts'
import { KmsError } from '../errors.ts'
import { keyArn } from '../model/key.ts'
import { andThen, forEach, orElse, type Awaitable } from '../model/awaitable.ts'
import { partyOf } from '../model/party.ts'
import type { Call } from '../operations/contract/call.ts'
import type { ResolvedNames } from '../resolve/resolved.ts'
import { requireIdentities } from '../resolve/identities.ts'
import { sealAnswer } from '../resolve/recipient.ts'
import { requireMatchingKey } from '../resolve/resolve.ts'
import { usableKeys } from '../resolve/usable-keys.ts'
import { DatabaseFailed } from '../store/database.ts'
import type { Transaction } from '../store/store.ts'
import { attemptsMax, Unsettled } from './again.ts'
import type { PipelineDependencies } from './dependencies.ts'
import { newEffects, type Effects } from './effects.ts'
import { recordIdOf, recordsOf, successOf } from './call-facts.ts'
import { Again, StepFailed } from './stage-list.ts'
import type { Answered, Decided, Failed, Permitted, Ran, Read, Standing } from './stages.ts'
import { withServiceSide } from './service-side.ts'
import { openStanding, type DecideAgain } from './standing.ts'

/** Makes the AWS managed key that the call names, if it does not exist, and sends the call back. */
export function makeMissingKey(
  decided: Decided,
  { makeManagedKey }: Pick<PipelineDependencies, 'makeManagedKey'>,
): Awaitable<Decided | Again<Read>> {
  const { unmade } = decided.resolved
  if (unmade === undefined) return decided
  const { attempts, input, request, read } = decided
  if (attempts.made) throw new Error(`${unmade.alias.name} is not found though it was made`)
  refuseDryRun(input)
  const made = { ...attempts, number: 2, charged: true, made: true }
  return makeManagedKey(unmade, request.signal).then(() => new Again({ ...read, attempts: made }))
}

/** Usage before state, key by key, as AWS checks them. @throws {KmsError} */
export function permit(
  decided: Decided,
  dependencies: Pick<PipelineDependencies, 'lookup' | 'clock' | 'random'>,
): Awaitable<Permitted> {
  const { resolved, input } = decided
  requireIdentities(resolved.identities)
  const matched = forEach(resolved.keys.values(), (key) =>
    requireMatchingKey(key, input, dependencies.lookup),
  )
  return andThen(matched, () => requireUsable(decided, dependencies))
}

function requireUsable(
  decided: Decided,
  { clock, random }: Pick<PipelineDependencies, 'clock' | 'random'>,
): Permitted {
  const { operation, resolved, scope } = decided
  const usable = usableKeys(operation, resolved, scope.partition, clock.now())
  if (!usable.ok) {
    const { error, refusing } = usable
    throw new StepFailed({ ...decided, ...(refusing && { refusing }) }, error)
  }
  const ids = {
    recordOf: (accountId: string) => recordIdOf(accountId, decided),
    next: () => random.uuid(),
  }
  const { keys } = usable
  return { ...decided, keys, keyEvents: keyEvents(operation, Object.values(keys), ids) }
}

/**
 * Runs the operation, unless nobody waits for its answer any more. What it does after this point is done and
 * recorded, whether somebody waits or not.
 */
export function run(
  permitted: Permitted,
  dependencies: PipelineDependencies,
  decideAgain: DecideAgain,
): Awaitable<Ran> {
  const { operation, input, request } = permitted
  request.signal.throwIfAborted()
  const effects = newEffects()
  const standing = openStanding(permitted, dependencies, decideAgain)
  const work = (): Awaitable<unknown> => {
    const call = callOf(permitted, { effects, standing }, dependencies)
    const running = withServiceSide(operation, call, dependencies.operations)
    return operation.run(running, dependencies.operations)
  }
  const finish = (output: unknown): Ran => {
    refuseDryRun(input)
    return { ...permitted, output, effects, standing }
  }
  return orElse(
    () => andThen(work(), finish),
    (error) => {
      throw withEffects(permitted, effects, error)
    },
  )
}

/** Decides a call again that has changed nothing, if that is needed, and seals its answer. */
export function confirm(
  ran: Ran,
  { store }: Pick<PipelineDependencies, 'store'>,
): Awaitable<Answered> {
  const { operation, recipient, output, effects, standing } = ran
  // Before the check: whatever this confirmation has brought, the decision then counts with.
  const confirmed = store.freshness.moment()
  const seal = (): Answered => {
    const answered = confirmed === undefined ? ran : { ...ran, confirmed }
    return operation.recipient === undefined || recipient === undefined
      ? answered
      : { ...answered, output: sealAnswer(output, operation.recipient, recipient) }
  }
  return orElse(
    () => andThen(effects.committed === undefined ? standing.confirm() : undefined, seal),
    (error) => {
      throw withEffects(ran, effects, error)
    },
  )
}

/** If deciding again failed, its own error says what the call reached. */
function withEffects(permitted: Permitted, effects: Effects, error: unknown): StepFailed<object> {
  const { reached, cause } =
    error instanceof StepFailed ? (error as Failed) : { reached: permitted, cause: error }
  return new StepFailed({ ...reached, effects }, cause)
}

interface Running {
  readonly effects: Effects
  readonly standing: Standing
}

/** The call as its operation sees it. */
function callOf(
  permitted: Permitted,
  running: Running,
  dependencies: PipelineDependencies,
): Call<never, string> {
  const { input, caller, keys, resolved, scope, requestId, request, origin } = permitted
  const { partition, region } = scope
  const { effects } = running
  const call: Call<never, string> = {
    input: input as never, // read by the operation's own shapes
    caller,
    partition,
    region,
    origin,
    requestId,
    operation: permitted.operation.name,
    keys,
    ...(resolved.alias && { alias: resolved.alias }),
    ...resolved.identities.records,
    ...(resolved.grant && { grant: resolved.grant }),
    ...assumedRole(resolved),
    signal: request.signal,
    keyStoreOf: (key) => dependencies.keyStoreOf(key, call),
    arn: (key) => keyArn(partition, key),
    concerning(resource) {
      effects.resources = [resource]
    },
    made(key) {
      effects.resources = [{ arn: keyArn(partition, key), accountId: key.accountId }]
    },
    usesMaterials(materials) {
      effects.materials = materials
    },
    aboutKeyStore(members) {
      effects.keyStore = members
    },
    alsoRecords(event) {
      effects.further = [...effects.further, event]
    },
    commit: (work) => commit(work, permitted, running, dependencies),
  }
  return call
}

/** The role in the form that operations get. */
function assumedRole({
  assumed,
}: Pick<ResolvedNames, 'assumed'>): Pick<Call<never, string>, 'assumed'> {
  const { known, arn } = assumed ?? {}
  return known === undefined || arn === undefined ? {} : { assumed: { record: known.record, arn } }
}

/** A fact behind the decision has changed: the transaction changes nothing. */
class Undecided extends Error {}

async function commit<T>(
  work: (transaction: Transaction) => Promise<T>,
  permitted: Permitted,
  running: Running,
  dependencies: PipelineDependencies,
): Promise<T> {
  const { effects, standing } = running
  if (effects.committed !== undefined) throw new Error(`${permitted.operation.name} commits twice`)
  if (!dependencies.journal.healthy) throw new KmsError('KMSInternalException')
  await standing.renew()
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await commitOnce(work, permitted, running, dependencies)
    } catch (error) {
      effects.fateUnknown = error instanceof DatabaseFailed
      if (!(error instanceof Undecided)) throw error
    }
    if (attempt === attemptsMax) throw new Unsettled()
    await standing.decideAgain()
  }
}

async function commitOnce<T>(
  work: (transaction: Transaction) => Promise<T>,
  permitted: Permitted,
  { effects, standing }: Running,
  dependencies: PipelineDependencies,
): Promise<T> {
  const change = async (
    transaction: Transaction,
  ): Promise<readonly [T, NonNullable<Effects['committed']>]> => {
    // INVARIANT (decided when it counts): nobody else can change anything until this commits.
    if (!(await standing.holds(transaction))) throw new Undecided()
    effects.further = [] // an attempt that was rolled back has left some
    const made = await work(transaction)
    refuseDryRun(permitted.input)
    const reached = { ...permitted, effects }
    const recordedAt = dependencies.clock.now()
    const rows = recordsOf(reached, successOf(reached, made), recordedAt)
    const records = await insertRecords(transaction, rows, dependencies.journal.position)
    return [made, { records, recordedAt }]
  }
  const [output, committed] = await dependencies.changesInTurn(
    () => dependencies.store.change(change),
    partyOf(permitted.caller),
  )
  effects.committed = committed
  return output
}

/** @throws {KmsError} `DryRunOperationException` when the call asked for it */
export function refuseDryRun(input: Readonly<Record<string, unknown>>): void {
  if (input['DryRun'] !== true) return
  const message = 'The request would have succeeded, but the DryRun option is set.'
  throw new KmsError('DryRunOperationException', message)
}
