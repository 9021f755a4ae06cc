/**
 * Steps 4 to 6 of a call: its facts are gathered and every permission is decided, on facts of one moment.
 *
 * INVARIANT (one moment): when a fact has changed since the first was read, all are gathered again.
 * INVARIANT (decided when it counts): before a change commits, and before an answer leaves, the caller and
 * its permissions are decided again if a fact has changed since, or if the decision has grown old.
 * @see docs/adr/0024-decisions-of-one-moment.md
 * @module
 */
import { KmsError } from '../errors.ts'
import type { Caller } from '../model/caller.ts'
import { globalRegionOf } from '../model/region.ts'
import type { Operation } from '../operations/contract/operation.ts'
import { withAliasNames } from '../resolve/alias-names.ts'
import { resolveAssumedRole } from '../resolve/assumed-roles.ts'
import { openFacts, type Facts } from './facts.ts'
import { idleDays } from '../authorize/idle-days.ts'
import type { RequestScope } from '../model/identifiers.ts'
import { resolveIdentities } from '../resolve/identities.ts'
import { authorizeCall } from '../authorize/permissions.ts'
import type { Recipient } from '../resolve/recipient.ts'
import { aliasNotFound, resolveCall } from '../resolve/resolve.ts'
import { withRoleArns } from '../resolve/role-ids.ts'
import { unmadeKeyIn } from '../resolve/unmade-keys.ts'
import type { RunningCall } from './running-call.ts'
import { StaleRow, type Transaction } from '../store/store.ts'
import { accountsOf } from '../authorize/accounts.ts'
import { identityOf } from '../authorize/identity.ts'
import type { Resolved, ResolvedCall } from '../resolve/resolved.ts'
import type { PipelinePorts } from './dependencies.ts'

/** How often a call is decided again because its facts have changed meanwhile. */
export const attemptsMax = 8

/**
 * Milliseconds after which a decision is made again before it is acted on: conditions speak of the time, and
 * sessions end.
 */
const decisionAgeMsMax = 1000

/** Who calls, and the number of the last change that was committed before this was found out. */
export interface Identified {
  readonly since: number
  readonly caller: Caller
  readonly scope: RequestScope
}

/** What a call asks for, and what proves who asks. */
export interface Asked {
  readonly input: Readonly<Record<string, unknown>>
  readonly recipient: Recipient | undefined
  /** Absent when who calls has to be found out again. */
  readonly identified?: Identified
  readonly identifyAgain: () => Promise<Identified>
  /** The request counts against its quota and suffers its faults: once a call. */
  readonly charged: boolean
}

export interface Decided {
  readonly caller: Caller
  readonly resolved: ResolvedCall
  readonly facts: Facts
  /** Milliseconds since the epoch. */
  readonly decidedAt: number
}

/** @throws {KmsError} what refuses the call; `ThrottlingException` when its facts do not stand still */
export async function decide(
  call: RunningCall,
  asked: Asked,
  ports: PipelinePorts,
): Promise<Decided> {
  let { identified, charged } = asked
  let struck: { readonly error: unknown } | undefined
  const charge = async (resolved: Resolved): Promise<void> => {
    if (charged) return
    charged = true
    try {
      await draw(call, asked.input, resolved, ports)
    } catch (error) {
      struck = { error }
      throw error
    }
  }
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    identified ??= await asked.identifyAgain()
    const facts = openFacts({ ...ports, store: ports.operations.store }, identified.since)
    try {
      const decided = await decideOnce(call, { ...asked, identified, charge }, facts, ports)
      if (await facts.hold(ports.store)) return decided
    } catch (error) {
      // A refusal is as much a decision as its opposite.
      const final = struck !== undefined || attempt === attemptsMax || !(error instanceof KmsError)
      if (final || (await facts.hold(ports.store))) throw error
    }
    identified = undefined
  }
  throw unsettled()
}

async function decideOnce(
  call: RunningCall,
  asked: Asked & {
    readonly identified: Identified
    readonly charge: (resolved: Resolved) => Promise<void>
  },
  facts: Facts,
  ports: PipelinePorts,
): Promise<Decided> {
  const { operation, origin } = call
  const { input, recipient, identified, charge } = asked
  const { caller, scope } = identified
  const { lookup } = facts
  facts.noteCaller(caller)
  const refreshed = lookup.refresh()
  if (refreshed !== undefined) await refreshed
  const resolved = await resolveAll(call, { input, caller, scope }, facts)
  call.concerns(resolved)
  await charge(resolved) //                                                           5 throttle
  const now = ports.clock.now()
  const known = identityOf(caller, lookup)
  const identity = known instanceof Promise ? await known : known
  const members = accountsOf(caller.accountId, resolved, lookup)
  const accounts = members instanceof Promise ? await members : members
  const attested = recipient?.conditions
  const idle = operation.asksIdleDays
    ? await idleDays(operation, resolved, ports.operations.keyUsages, now)
    : undefined
  const gathered = { identity, accounts, attested, idle }
  const asking = { operation, caller, scope, origin, now, work: call.work, ...gathered }
  const aliased = withAliasNames(resolved.keys, identity, lookup)
  const named = { ...resolved, keys: aliased instanceof Promise ? await aliased : aliased }
  const meant = await withRoleArns(operation, input, ports.operations.principals, scope.partition)
  const unmade = unmadeKeyIn(resolved)
  const started = performance.now()
  try {
    authorizeCall(asking, meant, named, call.onDecision) //                           6 authorize
  } catch (error) {
    throw unmade === undefined ? error : aliasNotFound(unmade.alias, scope)
  } finally {
    ports.meter.authorized(performance.now() - started)
  }
  return { caller, resolved, facts, decidedAt: now }
}

/** Step 4: everything that the call names. */
async function resolveAll(
  { operation }: Pick<RunningCall, 'operation'>,
  asked: {
    readonly input: Asked['input']
    readonly caller: Caller
    readonly scope: RequestScope
  },
  facts: Facts,
): Promise<ResolvedCall> {
  const { input, caller, scope } = asked
  const named = await resolveCall(operation, input, { caller, scope, ...facts })
  const identities = await resolveIdentities({ caller, scope }, operation, input, facts.store)
  const assumed = await resolveAssumedRole({ caller, scope }, operation, input, facts)
  return { ...named, identities, ...(assumed && { assumed }) }
}

/** What a decision still has to prove when its call is about to be acted on. */
export interface Standing {
  /** Decides again when the decision has grown old. Called before the transaction begins. */
  renew(): Promise<void>
  /** Whether the decision holds, as the transaction sees the facts. */
  holds(transaction: Pick<Transaction, 'changesSince'>): boolean | Promise<boolean>
  /** @throws {KmsError} what refuses the call now @throws {StaleRow} when it is about other things now */
  decideAgain(): Promise<void>
  /** The same for a call that has changed nothing: before its answer leaves. */
  confirm(): Promise<void>
}

export function standingOf(
  call: RunningCall,
  first: Decided,
  asked: Asked,
  ports: PipelinePorts,
): Standing {
  const { store, clock } = ports
  let decided = first
  const isOld = (): boolean => Math.abs(clock.now() - decided.decidedAt) > decisionAgeMsMax
  const decideAgain = (): Promise<void> =>
    call.unrecorded(async () => {
      const { recipient, input, identifyAgain } = asked
      decided = await decide(call, { recipient, input, identifyAgain, charged: true }, ports)
      if (!isAboutTheSame(first.resolved, decided.resolved)) {
        throw new StaleRow(`${call.operation.name} is about other things than it was`)
      }
      call.requireUsable(decided.resolved)
    })
  return {
    renew: async () => (isOld() ? decideAgain() : undefined),
    holds: (transaction) =>
      decided.facts.hold({
        epoch: () => store.epoch(),
        changesSince: (seq) => transaction.changesSince(seq),
      }),
    decideAgain,
    async confirm() {
      if (isOld() || !(await decided.facts.hold(store))) await decideAgain()
    },
  }
}

/** Names may have come to mean other keys and identities. What changed of these, a write finds by itself. */
function isAboutTheSame(one: ResolvedCall, other: ResolvedCall): boolean {
  return JSON.stringify(idsOf(one)) === JSON.stringify(idsOf(other))
}

function idsOf({ keys, alias, grant, identities, assumed }: ResolvedCall): unknown {
  const { user, role, group } = identities.records
  return [
    [...keys].map(([name, { known }]) => {
      const { accountId, region, keyId } = known?.record ?? {}
      return [name, accountId, region, keyId]
    }),
    alias?.record?.targetKeyId,
    grant?.grantId,
    [user?.userId, role?.roleId, group?.groupId, assumed?.known?.record.roleId],
  ]
}

/** The caller can try again: whoever changes its facts without a pause can change them only so long. */
export function unsettled(): KmsError {
  const message = 'What the request depends on keeps changing. Reduce the frequency of your calls.'
  return new KmsError('ThrottlingException', message)
}

const limitedServices: ReadonlySet<Operation['service']> = new Set([
  'kms',
  'iam',
  'sts',
  'cloudtrail',
  'monitoring',
])

/**
 * Faults are of KMS alone.
 * @throws {KmsError} `ThrottlingException`, or the fault that a test has asked for
 */
async function draw(
  { operation, caller, scope, request }: RunningCall,
  input: Readonly<Record<string, unknown>>,
  resolved: Resolved,
  { throttle, faults }: PipelinePorts,
): Promise<void> {
  const { service, name } = operation
  if (!limitedServices.has(service)) return
  const specs = [...resolved.keys.values()].flatMap(({ known }) => known?.record.spec ?? [])
  // A service in its own name is of no account, and draws on none.
  const drawn = caller.service === undefined ? caller.accountId : caller.service.regionalName
  // IAM has one place in a partition: whoever names many Regions has one quota all the same.
  const region = service === 'iam' ? globalRegionOf(scope) : scope.region
  throttle.admit(drawn, region, { service, operation: name, input, specs })
  if (service === 'kms') await faults.strike(name, request.signal)
}
