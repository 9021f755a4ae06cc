/** Options of a server that are not settings. @module */
import type { Logger } from 'pino'
import type { FilePort } from '../disk/files.ts'
import type { TimeSource } from '../jobs/clock.ts'
import type { Ask } from '../operator/inside.ts'
import type { Seal } from '../seals/seal.ts'

export interface ServerOptions {
  readonly log: Logger
  /** Whether the log gets a line for each request. Default: false. */
  readonly logRequests?: boolean
  /** The seal of the root key. Default: the one that the settings name. */
  readonly seal?: Promise<Seal>
  /** The source of time. Default: the process's own clocks. */
  readonly time?: TimeSource
  /** The files of the audit journal. Default: the system's files. */
  readonly journalFiles?: FilePort
  /** Runs before the first call is served. The start fails if it throws. */
  readonly prepare?: (ask: Ask) => Promise<void>
  /** Called when an operator seals the server. The process must stop the server and end. */
  readonly onSeal?: () => void
  /** Called when the server cannot go on. The process must end. */
  readonly onFatal: (error: unknown) => void
}
