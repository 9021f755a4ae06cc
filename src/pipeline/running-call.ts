/**
 * One call on its way through the pipeline: what has been learnt of it so far, which is what its
 * audit record says, and the call as its operation sees it.
 *
 * INVARIANT (audit-before-respond): `record` answers only after the call's record is durable.
 * INVARIANT (outbox): a change and its record commit in one transaction.
 * @module
 */
import { keyEvents } from '../audit/records/key-events.ts'
import { keepRecords, type FinishedRecord } from '../audit/records/call-records.ts'
import { accountOf, type Audited } from '../audit/records/record.ts'
import {
  auditedOf,
  failureOf,
  newTrail,
  recordIdOf,
  recordsOf,
  refuseDryRun,
  refusedUseOf,
  successOf,
  type Opening,
  type Trail,
} from './call-facts.ts'
import { newWork, type Work } from '../policy/work.ts'
import { attemptsMax, unsettled, type Standing } from './decide.ts'
import { insertRecords } from '../audit/outbox.ts'
import { KmsError } from '../errors.ts'
import type { Caller } from '../model/caller.ts'
import { keyArn, type KeyRecord } from '../model/key.ts'
import { partyOf } from '../model/party.ts'
import type { Operation } from '../operations/contract/operation.ts'
import { readCallInput } from '../wire/call-input.ts'
import { assumedRole } from '../resolve/assumed-roles.ts'
import type { RequestScope } from '../model/identifiers.ts'
import type { Recipient } from '../resolve/recipient.ts'
import type { OnDecision } from '../authorize/permissions.ts'
import { concernedResources } from '../resolve/concerned.ts'
import { usableKeys } from '../resolve/usable-keys.ts'
import { DatabaseFailed } from '../store/database.ts'
import { StaleRow, type Transaction } from '../store/store.ts'
import type { RawRequest } from '../wire/request.ts'
import type { Call, Origin } from '../operations/contract/call.ts'
import type { Resolved, ResolvedCall } from '../resolve/resolved.ts'
import type { PipelinePorts } from './dependencies.ts'

type Given = Readonly<Record<string, unknown>>

/** What an operation works with, once it is decided. */
export interface AuthorizedCall {
  readonly caller: Caller
  readonly keys: Readonly<Record<string, KeyRecord>>
  readonly resolved: ResolvedCall
  readonly standing: Pick<Standing, 'renew' | 'holds' | 'decideAgain'>
}

export interface RunningCall {
  readonly operation: Operation
  readonly caller: Caller
  readonly scope: RequestScope
  readonly request: RawRequest
  readonly requestId: string
  readonly origin: Origin
  /** What all decisions of the call may take together, however often it decides. */
  readonly work: Work
  /** @throws {KmsError} `SerializationException`, `ValidationException` */
  readInput(): Given
  /** Says for whom the answer is sealed, as far as the call has said so. */
  sealsFor(recipient: Recipient | undefined): void
  /** Begins an attempt: says which keys and aliases the call is about. */
  concerns(resolved: ResolvedCall): void
  /** Says that every permission was given: other accounts learn of what is theirs from here on. */
  isAuthorized(): void
  /** Keeps why a permission was given or refused, for the record. */
  readonly onDecision: OnDecision
  /** Usage before state, key by key, as AWS does. @throws {KmsError} */
  requireUsable(resolved: Resolved): Readonly<Record<string, KeyRecord>>
  forOperation(input: Given, authorized: AuthorizedCall): Call<never, string>
  /** A change of the store has been committed. */
  hasCommitted(): boolean
  /** Runs a further decision: the record tells of it only when it fails. */
  unrecorded(decide: () => Promise<void>): Promise<void>
  /** True for a failure that says: the rows you decided on have changed. */
  mayDecideAgain(error: unknown): boolean
  /** @throws {KmsError} `DryRunOperationException` when the call asked for it */
  refuseDryRun(input: Given): void
  /** Runs the call, and answers its output, or throws its failure, when its record is durable. */
  record(run: () => Promise<unknown>): Promise<unknown>
}

export function openCall(opening: Opening, ports: PipelinePorts): RunningCall {
  const { operation, caller, scope, request, requestId } = opening
  const trail = newTrail(request, ports.random)
  return {
    ...opening,
    origin: trail.origin,
    work: newWork(),
    readInput() {
      trail.input = readCallInput(operation, request)
      return trail.input
    },
    sealsFor(recipient) {
      trail.recipient = recipient
    },
    concerns(resolved) {
      trail.reasons = []
      trail.foreignActions.clear()
      trail.authorized = false
      trail.further = []
      trail.refusing = undefined
      const { resources, keyArns } = concernedResources(resolved, scope.partition)
      trail.resources = resources
      trail.keyArns = keyArns
      trail.grantId = resolved.grant?.grantId
      trail.materials = undefined
    },
    isAuthorized() {
      trail.authorized = true
    },
    onDecision(action, decision, accountId) {
      const own = accountOf({ caller, resources: trail.resources })
      if (accountId !== own) trail.foreignActions.add(action)
      for (const reason of decision.reasons) trail.reasons.push({ action, ...reason })
      for (const error of decision.errors) {
        ports.log.warn({ requestId, action, error }, 'a policy is broken: it denies')
      }
    },
    requireUsable(resolved) {
      const keys = usableKeys(operation, resolved, scope.partition, ports.clock.now(), (key) => {
        trail.refusing = key
      })
      const recordOf = (accountId: string): string => recordIdOf(accountId, opening, trail)
      const ids = { recordOf, next: () => ports.random.uuid() }
      trail.keyEvents = keyEvents(operation, Object.values(keys), ids)
      return keys
    },
    forOperation: (input, authorized) => callOf({ opening, ports, trail, input, ...authorized }),
    hasCommitted: () => trail.committed !== undefined,
    async unrecorded(decide) {
      const kept = { ...trail, foreignActions: new Set(trail.foreignActions) }
      trail.authorized = false
      await decide()
      Object.assign(trail, kept)
    },
    mayDecideAgain: (error) => error instanceof StaleRow && trail.committed === undefined,
    refuseDryRun,
    record: (run) => recorded(run, opening, trail, ports),
  }
}

/** The call as its operation sees it. */
function callOf(
  from: AuthorizedCall & {
    readonly opening: Opening
    readonly ports: PipelinePorts
    readonly trail: Trail
    readonly input: Given
  },
): Call<never, string> {
  const { opening, ports, trail, input, caller, keys, resolved, standing } = from
  const { scope, requestId, request } = opening
  const { partition, region } = scope
  return {
    input: input as never, // read by the operation's own shapes
    caller,
    partition,
    region,
    origin: trail.origin,
    requestId,
    keys,
    ...(resolved.alias && { alias: resolved.alias }),
    ...resolved.identities.records,
    ...(resolved.grant && { grant: resolved.grant }),
    ...assumedRole(resolved),
    signal: request.signal,
    arn: (key) => keyArn(partition, key),
    concerning(resource) {
      trail.resources = [resource]
    },
    made(key) {
      trail.resources = [{ arn: keyArn(partition, key), accountId: key.accountId }]
    },
    usesMaterials(materials) {
      trail.materials = materials
    },
    alsoRecords(event) {
      trail.further = [...trail.further, event]
    },
    commit: (work) => committed(work, { opening, trail, standing }, ports),
  }
}

/** A fact behind the decision has changed: the transaction changes nothing. */
class Undecided extends Error {}

async function committed<T>(
  work: (transaction: Transaction) => Promise<T>,
  of: { readonly opening: Opening; readonly trail: Trail } & Pick<AuthorizedCall, 'standing'>,
  ports: PipelinePorts,
): Promise<T> {
  const { opening, trail, standing } = of
  if (trail.committed !== undefined) throw new Error(`${opening.operation.name} commits twice`)
  if (!ports.journal.healthy) throw new KmsError('KMSInternalException')
  await standing.renew()
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await commitOnce(work, of, ports)
    } catch (error) {
      trail.fateUnknown = error instanceof DatabaseFailed
      if (!(error instanceof Undecided)) throw error
    }
    if (attempt === attemptsMax) throw unsettled()
    await standing.decideAgain()
  }
}

async function commitOnce<T>(
  work: (transaction: Transaction) => Promise<T>,
  { opening, trail, standing }: Parameters<typeof committed>[1],
  ports: PipelinePorts,
): Promise<T> {
  const change = async (transaction: Transaction): Promise<readonly [T, Trail['committed']]> => {
    // INVARIANT (decided when it counts): nobody else can change anything until this commits.
    if (!(await standing.holds(transaction))) throw new Undecided()
    trail.further = [] // what an attempt that was rolled back has said
    const made = await work(transaction)
    if (trail.input !== undefined) refuseDryRun(trail.input)
    const rows = recordsOf(successOf(opening, trail, made), opening, trail, ports.clock)
    return [made, await insertRecords(transaction, rows, ports.journal.position)]
  }
  const [output, records] = await ports.changesInTurn(
    () => ports.store.change(change),
    partyOf(opening.caller),
  )
  trail.committed = records
  return output
}

async function recorded(
  run: () => Promise<unknown>,
  opening: Opening,
  trail: Trail,
  ports: PipelinePorts,
): Promise<unknown> {
  const answered = async (
    outcome: () => Audited['outcome'],
  ): Promise<readonly FinishedRecord[]> => {
    if (trail.committed === undefined) {
      const refused = outcome()
      if (!refused.ok && !ports.refusedCalls.hasOwnRecord(opening.caller)) {
        await ports.refusedCalls.count(auditedOf(refused, opening, trail, ports.clock))
        return []
      }
    }
    // What committed is a change with its records, whatever failed behind it.
    const records = trail.committed ?? recordsOf(outcome(), opening, trail, ports.clock)
    await (trail.committed === undefined
      ? keepRecords(records, ports.journal.append.bind(ports.journal))
      : keepRecords(records, ports.outbox.settle.bind(ports.outbox)))
    ports.identityUses.note(opening, trail.recordedAt)
    return records
  }
  let output: unknown
  try {
    output = await run()
  } catch (error) {
    // If the change was committed, its outbox row holds the record; a second one would displace it.
    if (!trail.fateUnknown) {
      const refused = refusedUseOf(await answered(() => failureOf(error)), opening, trail)
      if (refused !== undefined) {
        ports.meter.refusedUse(refused.key.state)
        ports.refusedUses.note(refused)
      }
    }
    throw error
  }
  await answered(() => successOf(opening, trail, output))
  const { recordedAt: usedAt, keyEvents: uses } = trail
  for (const { key, ...use } of uses) {
    ports.keyUsages.note(key, { ...use, usedAt, requestId: opening.requestId })
  }
  return output
}
