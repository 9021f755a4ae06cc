/**
 * What operators and the test API can ask of the running server.
 * @module
 */
import type { DeletedKeys, DeletedMaterials } from '../../store/store.ts'
import type { Faults } from '../../throttle/faults.ts'

/** What operators and the test API may ask of the running server. */
export interface ServerControls {
  status(): Promise<ServerStatus>
  /**
   * Moves the clock that is stored and decided by, and resolves when what has become due by it was
   * tried. Only where the test API is on.
   */
  moveClock(to: number): Promise<void>
  /** Somebody vouches for the system's clock; what has waited for it was tried when this resolves. */
  acceptClock(): Promise<void>
  /** What calls are made to suffer; there is none where the test API is off. */
  readonly faults: Pick<Faults, 'list' | 'replace'>
  /** The account that the first start made: a reset leaves it and its root credentials. */
  readonly firstAccount: { readonly accountId: string }
}

export interface ServerStatus {
  readonly version: string
  readonly ready: boolean
  readonly sealed: boolean
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly region: string
  readonly accountId: string
  readonly journal: {
    readonly healthy: boolean
    readonly stream: string
    readonly segment: number
    /** Fingerprints of the keys that sign its checkpoints. */
    readonly keys: readonly string[]
    /** The last one: kept elsewhere, it shows later that the journal was not cut before it. */
    readonly checkpoint: { readonly text: string; readonly signature: string }
    /** The last ones of the other streams, where there are any. */
    readonly otherCheckpoints?: readonly { readonly text: string; readonly signature: string }[]
  }
  readonly changes: number
  readonly clock: {
    /** ISO 8601, UTC. */
    readonly now: string
    /** Why nothing is deleted: `trent clock accept` ends it. */
    readonly held?: string
  }
  /** Keys that are gone, and the domain keys that could still open a copy of their material. */
  readonly deleted: DeletedKeys
  /** The same of imported materials that were taken from keys that live on. */
  readonly deletedMaterials: DeletedMaterials
  /** Requests whose caller could not be proved, since the start. */
  readonly refusedRequests: number
}
