/** Options of a server that the settings do not hold. @module */
import type { Logger } from 'pino'
import type { FilePort } from '../disk/files.ts'
import type { TimeSource } from '../jobs/clock.ts'
import type { Ask } from '../operator/inside.ts'
import type { Seal } from '../seals/seal.ts'

export interface ServerOptions {
  readonly log: Logger
  /** What protects the root key; the key file of the data directory when left out. */
  readonly seal?: Promise<Seal>
  /** Where time comes from; the process's own when left out. */
  readonly time?: TimeSource
  /** Where the audit journal is written; the system's files when left out. */
  readonly journalFiles?: FilePort
  /** Runs when calls could be served, before any is: what it throws ends the start. */
  readonly prepare?: (ask: Ask) => Promise<void>
  /** Called when the server cannot go on: the process is to end. */
  readonly onFatal: (error: unknown) => void
}
