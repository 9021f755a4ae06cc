/**
 * The values that the steps of a call hand to each other. Each value holds the one before it, so that a
 * skipped step does not compile. The audit record is made from the last value that the call reached.
 * @module
 */
import type { IdOf } from '../audit/records/call-records.ts'
import type { KeyEvent } from '../audit/records/key-events.ts'
import type { CallDecision } from '../authorize/decide-call.ts'
import type { Awaitable } from '../model/awaitable.ts'
import type { Caller } from '../model/caller.ts'
import type { RequestScope } from '../model/identifiers.ts'
import type { KeyRecord } from '../model/key.ts'
import type { Origin } from '../operations/contract/call.ts'
import type { Operation } from '../operations/contract/operation.ts'
import type { Work } from '../policy/work.ts'
import type { ConcernedResources } from '../resolve/concerned.ts'
import type { Recipient } from '../resolve/recipient.ts'
import type { ResolvedNames } from '../resolve/resolved.ts'
import type { Moment } from '../store/freshness.ts'
import type { Transaction } from '../store/store.ts'
import type { Target } from '../wire/aws-json.ts'
import type { RawRequest } from '../wire/request.ts'
import type { Effects } from './effects.ts'
import type { Facts } from './facts.ts'
import type { StepFailed } from './stage-list.ts'
import type { Turn } from './turns.ts'

/** A request, with its whole body. */
export interface Arrived {
  readonly request: RawRequest
  readonly requestId: string
  /** Milliseconds of `performance.now()`. */
  readonly startedAt: number
  /** Present for routes that are not AWS's API. */
  readonly route: Target | undefined
}

/** After step 2: the operation that the request asks for. */
export interface Found extends Arrived {
  readonly operation: Operation
  readonly target: Target
}

/** Who calls, in which account and Region. */
export interface IdentifiedCaller {
  readonly caller: Caller
  readonly scope: RequestScope
  /** The number of the last change that was committed before the caller was identified. */
  readonly since: number
  /** The node's last confirmation before the decision. Absent if the node has the database for itself. */
  readonly confirmed?: Moment | undefined
}

/** After step 3. */
export interface Identified extends Found, IdentifiedCaller {
  readonly origin: Origin
  /** The id of the caller's record. */
  readonly eventId: string
  /** Ids of the call's other records. They stay the same however often the call is decided. */
  readonly idOf: IdOf
  /** The budget that all decisions of the call share. */
  readonly work: Work
  /** Identifies the caller of the same request again. @throws {KmsError} */
  readonly identifyAgain: () => Awaitable<IdentifiedCaller>
}

/** The earlier attempts to decide a call. */
export interface Attempts {
  /** Starts at 1, and at 2 in each turn that the call gets for itself. */
  readonly number: number
  /** Turns that the call got because others were faster. */
  readonly turns: number
  /** The turn that the call is in. */
  readonly turn?: Turn
  /** The call has counted against its quota, and has met its test faults. */
  readonly charged: boolean
  /** An AWS managed key was made for the call. */
  readonly made: boolean
}

/** After the input is read and checked. */
export interface Read extends Identified {
  readonly input: Readonly<Record<string, unknown>>
  /** Whom the answer is sealed for. */
  readonly recipient: Recipient | undefined
  readonly attempts: Attempts
}

/** After step 4: identifiers are keys, aliases, grants, users and roles. */
export interface Resolved extends Read {
  readonly resolved: ResolvedNames
  /** What the call is about, as its record names it. */
  readonly concerned: ConcernedResources
  /** What was read so far to decide the call. */
  readonly facts: Facts
  /** The value to start from if the call is resolved again. */
  readonly read: Read
}

/** After step 6: every permission is decided. The decision may be a refusal. */
export interface Decided extends Resolved {
  readonly decision: CallDecision
  /** Milliseconds since the epoch. */
  readonly decidedAt: number
}

/** Every permission is given, and the state of every key allows the call. */
export interface Permitted extends Decided {
  readonly keys: Readonly<Record<string, KeyRecord>>
  /** The uses of keys that a success counts as. */
  readonly keyEvents: readonly KeyEvent[]
}

/** A decision that a call acts on, until its change commits or its answer leaves. */
export interface Standing {
  /** Decides again if the decision has grown old. Called before the transaction begins. */
  renew(): Promise<void>
  /** Whether the decision holds, as the transaction sees the facts. */
  holds(transaction: Pick<Transaction, 'changesSince'>): Awaitable<boolean>
  /** @throws {StepFailed} with the refusal @throws {StaleRow} when the names mean other things now */
  decideAgain(): Promise<void>
  /** Decides again, if that is needed, for a call that has changed nothing: before its answer leaves. */
  confirm(): Awaitable<void>
}

/** The operation has run. */
export interface Ran extends Permitted {
  readonly output: unknown
  readonly effects: Effects
  readonly standing: Standing
}

/** After step 7: nothing has changed the decision since, and the output is as the caller gets it. */
export type Answered = Ran

/** Any of the values above. */
export type Reached = Arrived & Partial<Omit<Answered, keyof Arrived>>

/** What a record can be made from. */
export type Recordable = Identified &
  Partial<Omit<Answered, keyof Identified>> & {
    /** The key that refused the call by its state. */
    readonly refusing?: KeyRecord
  }

/** A stage failed. `reached` is the last value that the call reached. */
export type Failed = StepFailed<Reached>

/** Calls of callers who are not proved leave no record. */
export function isRecordable(reached: Reached): reached is Recordable {
  return reached.caller !== undefined
}
