/**
 * The values that the steps of a call hand to each other. Each value holds the one before it, so that a
 * skipped step does not compile. The audit record is made from the last value that the call reached.
 * @module
 */
import type { IdOf } from '../audit/records/call-records.ts'
import type { KeyEvent } from '../audit/records/key-events.ts'
import type { CallDecision } from '../authorize/decide-call.ts'
import type { Caller } from '../model/caller.ts'
import type { RequestScope } from '../model/identifiers.ts'
import type { KeyRecord } from '../model/key.ts'
import type { Origin } from '../operations/contract/call.ts'
import type { Operation } from '../operations/contract/operation.ts'
import type { Work } from '../policy/work.ts'
import type { ConcernedResources } from '../resolve/concerned.ts'
import type { Recipient } from '../resolve/recipient.ts'
import type { ResolvedNames } from '../resolve/resolved.ts'
import type { RawRequest } from '../wire/request.ts'
import type { Effects } from './effects.ts'
import type { Facts } from './facts.ts'

/** Who calls, in which account and Region. */
export interface Identity {
  readonly caller: Caller
  readonly scope: RequestScope
  /** The number of the last change that was committed before the caller was identified. */
  readonly since: number
}

/** After step 3. */
export interface Identified extends Identity {
  readonly operation: Operation
  readonly request: RawRequest
  readonly requestId: string
  readonly origin: Origin
  /** The id of the caller's record. */
  readonly eventId: string
  /** Ids of the call's other records. They stay the same however often the call is decided. */
  readonly idOf: IdOf
  /** The budget that all decisions of the call share. */
  readonly work: Work
  /** Identifies the caller of the same request again. @throws {KmsError} */
  readonly identifyAgain: () => Promise<Identity>
}

/** After the input is read and checked. */
export interface Read extends Identified {
  readonly input: Readonly<Record<string, unknown>>
  /** Whom the answer is sealed for. */
  readonly recipient: Recipient | undefined
}

/** After step 4: identifiers are keys, aliases, grants, users and roles. */
export interface Resolved extends Read {
  readonly resolved: ResolvedNames
  /** What the call is about, as its record names it. */
  readonly concerned: ConcernedResources
  /** What was read so far to decide the call. */
  readonly facts: Facts
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

/** After step 7. */
export interface Answered extends Permitted {
  readonly output: unknown
  readonly effects: Effects
}

/** Any of the values above: what a record can be made from. */
export type Reached = Identified &
  Partial<Omit<Answered, keyof Identified>> & {
    /** The key that refused the call by its state. */
    readonly refusing?: KeyRecord
  }

/** A failed step, and the last value that the call reached before it. */
export class StepFailed extends Error {
  readonly reached: Reached

  constructor(reached: Reached, cause: unknown) {
    super('a step failed', { cause })
    this.reached = reached
  }
}
