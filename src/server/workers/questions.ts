/** Questions between worker 0 and the other workers. @module */

import type { KeyringStep } from '../../crypto/domain-keys.ts'
import type { Party } from '../../model/party.ts'
import type { NotedUsage } from '../../model/last-usage.ts'
import type { AccessKeyUse } from '../../model/access-key.ts'
import type { RoleUse } from '../../model/role.ts'
import type { NewRecords } from '../../audit/index/new-records.ts'
import type { IndexPosition } from '../../store/tables/event-index-rows.ts'
import type { Fault } from '../../throttle/faults.ts'
import type { RawRequest, RawResponse } from '../../wire/request.ts'
import type { TlsFiles } from '../../wire/tls.ts'
import type { MeterFigures } from '../../metrics/meter.ts'

/** Uses that are not saved yet, by the kind of thing that was used. */
export interface Noted {
  readonly keys: readonly NotedUsage[]
  readonly roles: readonly RoleUse[]
  readonly accessKeys: readonly AccessKeyUse[]
}

export interface NotedOf {
  readonly kind: keyof Noted
  readonly name: string
}

/** The state of a worker, for readiness, status and the event index. */
export interface WorkerState {
  readonly healthy: boolean
  readonly hasReserve: boolean
  readonly position: IndexPosition
  /** Requests without a proven caller. */
  readonly refusals: number
}

export type AskedOfFirst = {
  /** A request that only worker 0 can answer. */
  readonly serve: readonly [Omit<RawRequest, 'signal'>, RawResponse]
  /** The test fault for the next call of an operation. The fault is counted. */
  readonly strike: readonly [string, Fault | undefined]
  /** Answers when the asker's turn begins. The turn lasts until `turnOver`. */
  readonly turn: readonly [Party, number]
  readonly turnOver: readonly [number, void]
  /** Uses that the other workers have not saved yet. */
  readonly noted: readonly [NotedOf, Noted[keyof Noted]]
  /** Has other nodes save their uses of a key: see `NodeUses.settle`. */
  readonly settle: readonly [string, number | undefined]
  /** Writes the signed list of the journal's writers again. */
  readonly list: readonly [undefined, void]
  /** One line of the log. */
  readonly log: readonly [string, void]
  /** The worker cannot go on. The process must end. */
  readonly fatal: readonly [string, void]
}

/** Where a worker listens; the address is in its settings. */
export interface ListenAt {
  readonly port: number
  readonly tls?: TlsFiles
}

export type AskedOfWorker = {
  /** Opens everything except the listener. */
  readonly open: readonly [undefined, void]
  readonly listen: readonly [ListenAt, void]
  /** Uses other certificates for new connections. */
  readonly useTls: readonly [TlsFiles, void]
  readonly state: readonly [undefined, WorkerState]
  /** Takes the records that the event index lacks. */
  readonly newRecords: readonly [undefined, NewRecords]
  readonly figures: readonly [undefined, MeterFigures]
  /** Anchors the worker's stream. Answers how many milliseconds the oldest unanchored record has waited. */
  readonly checkpoint: readonly [undefined, number]
  readonly noted: readonly [NotedOf, Noted[keyof Noted]]
  /** A step of a rotation of the root key. */
  readonly turnKeys: readonly [KeyringStep, void]
  /** Stops listening and finishes the calls in flight, within a number of milliseconds. */
  readonly leave: readonly [undefined, void]
  readonly stopListening: readonly [number, void]
  /** Saves and closes everything. */
  readonly close: readonly [undefined, void]
}
