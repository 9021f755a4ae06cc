/** Start data of a worker thread. @module */
import type { SharedDatabase } from '../../store/open.ts'
import type { SharedMemory } from './memory.ts'
import type { SentConfig } from './worker-config.ts'
import type { OpenDeployment } from '../../crypto/open-deployment.ts'

export interface WorkerData {
  /** From 1. */
  readonly worker: number
  readonly config: SentConfig
  readonly deployment: OpenDeployment
  readonly database: SharedDatabase
  /** The database for the thread that reads grants. */
  readonly grantDatabase: SharedDatabase
  readonly memory: SharedMemory
  /** The answer of `Store.trackUsageSince`. */
  readonly usageTrackedSince: number
  /** The answer of `Store.lastRestoredAt`. */
  readonly restoredAt: number
  /** Whether the log gets a line for each request. */
  readonly logRequests: boolean
}
