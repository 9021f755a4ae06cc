/** What the first worker and the others ask of each other. @module */

import type { Party } from '../../model/party.ts'
import type { NotedUsage } from '../../model/last-usage.ts'
import type { AccessKeyUse } from '../../model/access-key.ts'
import type { RoleUse } from '../../model/role.ts'
import type { IndexPosition } from '../../store/tables/event-index-rows.ts'
import type { Fault } from '../../throttle/faults.ts'
import type { RawRequest, RawResponse } from '../../wire/request.ts'
import type { Figures } from '../../metrics/meter.ts'

/** What is noted of a thing and not yet saved, by the kind of thing. */
export interface Noted {
  readonly keys: readonly NotedUsage[]
  readonly roles: readonly RoleUse[]
  readonly accessKeys: readonly AccessKeyUse[]
}

export interface NotedOf {
  readonly kind: keyof Noted
  readonly name: string
}

/** A worker as readiness, status and the event index see it. */
export interface WorkerState {
  readonly healthy: boolean
  readonly hasReserve: boolean
  readonly position: IndexPosition
  /** Requests whose caller could not be proved. */
  readonly refusals: number
}

export type AskedOfFirst = {
  /** A request that needs what the first worker alone has. */
  readonly serve: readonly [Omit<RawRequest, 'signal'>, RawResponse]
  /** The fault that strikes a call of the operation: it is counted. */
  readonly strike: readonly [string, Fault | undefined]
  /** Answered when it is the asker's turn, which lasts until `turnOver`. */
  readonly turn: readonly [Party, number]
  readonly turnOver: readonly [number, undefined]
  /** What the workers beside the asker have noted. */
  readonly noted: readonly [NotedOf, Noted[keyof Noted]]
  /** Writes the signed list of the journal's writers anew. */
  readonly list: readonly [undefined, void]
  /** One line of the log. */
  readonly log: readonly [string, undefined]
  /** The worker cannot go on: the process is to end. */
  readonly fatal: readonly [string, undefined]
}

export type AskedOfWorker = {
  /** Opens its journal and all else but its listener. */
  readonly open: readonly [undefined, undefined]
  readonly listen: readonly [{ readonly port: number }, undefined]
  readonly state: readonly [undefined, WorkerState]
  readonly figures: readonly [undefined, Figures]
  /** Anchors what its stream holds; answers for how many milliseconds some records wait all the same. */
  readonly checkpoint: readonly [undefined, number]
  readonly noted: readonly [NotedOf, Noted[keyof Noted]]
  /** Stops listening, and answers what is in flight within so many milliseconds. */
  readonly stopListening: readonly [number, undefined]
  /** Saves and closes everything. */
  readonly close: readonly [undefined, undefined]
}
