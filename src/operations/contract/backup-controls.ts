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

export interface ReadBackupPart {
  /** Base64. */
  readonly bytes: string
  /** Rows in the parts so far. */
  readonly rows: number
  readonly isLast: boolean
}
