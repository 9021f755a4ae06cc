/** The parts of a running server that its dependencies are made from. @module */
import type { Logger } from 'pino'
import type { Backups } from '../backup/backups.ts'
import type { Anchors } from '../audit/journal/anchors.ts'
import type { Delivery } from '../audit/delivery/delivery.ts'
import type { OpenJournal } from '../audit/journal/journal.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { FirstAccount } from './first-start.ts'
import type { MovableClock } from '../jobs/clock.ts'
import type { Meter } from '../metrics/meter.ts'
import type { Random } from '../model/clock.ts'
import type { TrailDependencies } from '../model/trail.ts'
import type { GrantReader } from '../cache/grant-reader.ts'
import type { Database } from '../store/database.ts'
import type { Store } from '../store/store.ts'
import type { BackupSchedule } from './backup-schedule.ts'
import type { RunningNode } from './node.ts'
import type { Draining } from './nodes.ts'
import type { OwnSeal } from './own-seal.ts'
import type { Rekeying } from './rekeying.ts'
import type { RootGenerations } from './generation-parts.ts'
import type { SharedMemory } from './workers/memory.ts'
import type { Noted } from './workers/questions.ts'
import type { Workers } from './workers/workers.ts'
import type { OperationDependencies } from '../operations/contract/dependencies.ts'
import type { PipelineDependencies } from '../pipeline/dependencies.ts'

/** Parts that every worker has. */
export interface WorkerParts {
  readonly clock: MovableClock
  readonly random: Random
  readonly store: Store
  readonly keyring: Keyring
  readonly journal: OpenJournal
  readonly anchors: Anchors
  readonly trails: TrailDependencies
  /** The answer of `Store.trackUsageSince`. */
  readonly usageTrackedSince: number
  /** Sessions that were issued up to this time are over: the deployment was restored then. */
  readonly restoredAt: number
  readonly meter: Meter
  readonly log: Logger
  /** Whether the log gets a line for each request. */
  readonly logRequests: boolean
  readonly memory: SharedMemory
  readonly others: OtherWorkers
  readonly grantReader: GrantReader
}

/** Questions of one worker to all others. */
export interface OtherWorkers {
  /** Uses of one thing that they have not saved yet. */
  noted<Kind extends keyof Noted>(kind: Kind, name: string): Promise<Noted[Kind]>
  /** See `NodeUses.settle`. */
  settle(name: string): Promise<number | undefined>
}

/** Parts that only worker 0 has. The other workers ask it for them. */
export interface ServerParts extends WorkerParts {
  readonly database: Database
  readonly delivery: Delivery
  readonly workers: Workers
  readonly firstAccount: FirstAccount
  readonly startedAt: number
  readonly ownSeal: Pick<OwnSeal, 'runDue'>
  readonly rekeying: Rekeying
  readonly backups: Backups
  readonly backupSchedule: BackupSchedule
  readonly generations: RootGenerations
  /** Absent if only one node can use the database. */
  readonly node: RunningNode | undefined
  readonly draining: Draining
  /** Ends the process that holds the keys. */
  readonly sealServer: () => void
}

/** Dependencies that differ between worker 0 and the others. */
export type RoleDependencies = Pick<
  PipelineDependencies,
  'registry' | 'refusals' | 'faults' | 'inTurn' | 'internalCaller'
> &
  Pick<OperationDependencies, 'server'>
