/** Controls of backups of a running server, for operators. @module */

export interface BackupControls {
  /** @throws {KmsError} `ConflictException` while another one is being read */
  begin(): Promise<BegunBackup>
  /** @throws {KmsError} `NotFoundException` if the backup is over */
  read(id: string, part: number): Promise<ReadBackupPart>
}

export interface BegunBackup {
  readonly id: string
  readonly deploymentId: string
  /** ISO 8601, UTC. */
  readonly createdAt: string
  /** The number of the last change in it. */
  readonly change: number
  readonly rows: number
}

/** Backups that the server takes by itself. */
export interface ScheduledBackupStatus {
  readonly directory: string
  readonly intervalMinutes: number
  /** How many to keep, and how many there are. */
  readonly keep: number
  readonly kept: number
  readonly last?: {
    readonly file: string
    /** ISO 8601, UTC. */
    readonly createdAt: string
    readonly change: number
    readonly bytes: number
  }
  /** Failures of this node since its last success, and why the last one failed. */
  readonly failures: number
  readonly failure?: string
}

export interface ReadBackupPart {
  /** Base64. */
  readonly bytes: string
  /** Rows in the parts so far. */
  readonly rows: number
  readonly isLast: boolean
}
