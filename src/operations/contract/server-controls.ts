/**
 * Controls of the running server for operators and the test API.
 * @module
 */
import type { DeletedKeys } from '../../store/tables/deleted-key-rows.ts'
import type { DeletedMaterials } from '../../store/tables/deleted-material-rows.ts'
import type { Faults } from '../../throttle/faults.ts'
import type { BreakGlassAct } from '../../model/break-glass.ts'
import type { BreakGlass } from './break-glass.ts'
import type { BackupControls, ScheduledBackupStatus } from './backup-controls.ts'
import type { NodeControls } from './node-controls.ts'
import type { SealControls, SealStatus } from './seal-controls.ts'

/** Controls that operators and the test API have. */
export interface ServerControls {
  status(): Promise<ServerStatus>
  /** The part of the status that reads few rows, however much the deployment holds. */
  health(): Promise<ServerHealth>
  /**
   * Moves the clock that decisions and stored times use. Resolves after the jobs that became due were
   * tried. Only with the test API.
   */
  moveClock(to: number): Promise<void>
  /**
   * Confirms the system clock after a leap. Resolves after the jobs that were paused were tried.
   * @returns why they are paused still
   */
  acceptClock(): Promise<string | undefined>
  /** Faults that are injected into calls; none without the test API. */
  readonly faults: Pick<Faults, 'list' | 'replace'>
  /** The account that the first start created. A reset keeps it and its root credentials. */
  readonly firstAccount: {
    readonly accountId: string
    /** Whether the settings give its root user's access key. */
    readonly isRootGiven: boolean
  }
  /** @throws {KmsError} `ServiceUnavailableException` while this node does not know the latest changes */
  breakGlass(act: BreakGlassAct): BreakGlass
  readonly seal: SealControls
  readonly backup: BackupControls
  readonly nodes: NodeControls
}

export interface ServerHealth {
  readonly version: string
  readonly sealed: boolean
  readonly seal: SealStatus
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly clock: {
    /** ISO 8601, UTC. */
    readonly now: string
    /** Why deletions are paused; `trent clock accept` resumes them. */
    readonly held?: string
  }
}

export interface ServerStatus extends ServerHealth {
  readonly ready: boolean
  readonly region: string
  readonly accountId: string
  readonly journal: {
    readonly healthy: boolean
    readonly stream: string
    readonly segment: number
    /** Fingerprints of the keys that sign its checkpoints. */
    readonly keys: readonly string[]
    /** The latest checkpoint. Kept elsewhere, it later proves that the journal was not cut before it. */
    readonly checkpoint: { readonly text: string; readonly signature: string }
    /** The latest checkpoints of the other streams, if there are any. */
    readonly otherCheckpoints?: readonly { readonly text: string; readonly signature: string }[]
  }
  readonly changes: number
  /** Absent if only one node can use the database. */
  readonly node?: {
    readonly id: string
    readonly replication: string
    /** Why it decides no calls now. */
    readonly refusal?: string
  }
  /** Deleted keys, and the domain keys that could still decrypt a copy of their material. */
  readonly deleted: DeletedKeys
  /** The same for imported materials that were deleted from existing keys. */
  readonly deletedMaterials: DeletedMaterials
  /** Absent if no backups are scheduled. */
  readonly backups?: ScheduledBackupStatus
  /** Requests since the start that failed authentication. */
  readonly refusedRequests: number
}
