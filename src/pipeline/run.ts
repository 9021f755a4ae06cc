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
import { partyOf } from '../model/party.ts'
import type { Call } from '../operations/contract/call.ts'
import { assumedRole } from '../resolve/assumed-roles.ts'
import { requireIdentities } from '../resolve/identities.ts'
import { sealAnswer } from '../resolve/recipient.ts'
import { requireMatchingKey } from '../resolve/resolve.ts'
import { withServiceSide } from '../resolve/service-side.ts'
import { usableKeys } from '../resolve/usable-keys.ts'
import { DatabaseFailed } from '../store/database.ts'
import type { Transaction } from '../store/store.ts'
import { attemptsMax, Unsettled } from './decide.ts'
import type { PipelinePorts } from './dependencies.ts'
import { newEffects, type Effects } from './effects.ts'
import { recordIdOf, recordsOf, successOf } from './call-facts.ts'
import { StepFailed, type Answered, type Decided, type Permitted } from './stages.ts'
import { openStanding, type Standing } from './standing.ts'

/** Usage before state, key by key, as AWS checks them. @throws {StepFailed} */
export async function permit(decided: Decided, ports: PipelinePorts): Promise<Permitted> {
  const { operation, resolved, input, scope } = decided
  try {
    requireIdentities(resolved.identities)
    for (const key of resolved.keys.values()) await requireMatchingKey(key, input, ports.lookup)
  } catch (error) {
    throw new StepFailed(decided, error)
  }
  const usable = usableKeys(operation, resolved, scope.partition, ports.clock.now())
  if (!usable.ok) {
    const { error, refusing } = usable
    throw new StepFailed({ ...decided, ...(refusing && { refusing }) }, error)
  }
  const ids = {
    recordOf: (accountId: string) => recordIdOf(accountId, decided),
    next: () => ports.random.uuid(),
  }
  const { keys } = usable
  return { ...decided, keys, keyEvents: keyEvents(operation, Object.values(keys), ids) }
}

/** @throws {StepFailed} */
export async function run(permitted: Permitted, ports: PipelinePorts): Promise<Answered> {
  const { operation, input, recipient } = permitted
  const effects = newEffects()
  const standing = openStanding(permitted, ports)
  try {
    const call = callOf(permitted, { effects, standing }, ports)
    const running = withServiceSide(operation, call, ports.operations)
    const output = await operation.run(running, ports.operations)
    refuseDryRun(input)
    if (effects.committed === undefined) await standing.confirm()
    const sealed =
      operation.recipient === undefined || recipient === undefined
        ? output
        : sealAnswer(output, operation.recipient, recipient)
    return { ...permitted, output: sealed, effects }
  } catch (error) {
    // A decision that was made again and failed says itself what it reached.
    const { reached, cause } =
      error instanceof StepFailed ? error : { reached: permitted, cause: error }
    throw new StepFailed({ ...reached, effects }, cause)
  }
}

interface Running {
  readonly effects: Effects
  readonly standing: Standing
}

/** The call as its operation sees it. */
function callOf(permitted: Permitted, running: Running, ports: PipelinePorts): Call<never, string> {
  const { input, caller, keys, resolved, scope, requestId, request, origin } = permitted
  const { partition, region } = scope
  const { effects } = running
  return {
    input: input as never, // read by the operation's own shapes
    caller,
    partition,
    region,
    origin,
    requestId,
    keys,
    ...(resolved.alias && { alias: resolved.alias }),
    ...resolved.identities.records,
    ...(resolved.grant && { grant: resolved.grant }),
    ...assumedRole(resolved),
    signal: request.signal,
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
    alsoRecords(event) {
      effects.further = [...effects.further, event]
    },
    commit: (work) => commit(work, permitted, running, ports),
  }
}

/** A fact behind the decision has changed: the transaction changes nothing. */
class Undecided extends Error {}

async function commit<T>(
  work: (transaction: Transaction) => Promise<T>,
  permitted: Permitted,
  running: Running,
  ports: PipelinePorts,
): Promise<T> {
  const { effects, standing } = running
  if (effects.committed !== undefined) throw new Error(`${permitted.operation.name} commits twice`)
  if (!ports.journal.healthy) throw new KmsError('KMSInternalException')
  await standing.renew()
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await commitOnce(work, permitted, running, ports)
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
  ports: PipelinePorts,
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
    const recordedAt = ports.clock.now()
    const rows = recordsOf(reached, successOf(reached, made), recordedAt)
    const records = await insertRecords(transaction, rows, ports.journal.position)
    return [made, { records, recordedAt }]
  }
  const [output, committed] = await ports.changesInTurn(
    () => ports.store.change(change),
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
