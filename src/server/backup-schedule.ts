/**
 * Scheduled backups of a running server: which node takes them, their records, metrics and status.
 * @module
 */
import type { Logger } from 'pino'
import { createBackups, type Backups } from '../backup/backups.ts'
import {
  scheduleBackups,
  type ScheduledBackups,
  type ScheduleFigures,
  type TakenBackup,
} from '../backup/scheduled-backups.ts'
import type { BackupSettings } from '../backup/settings.ts'
import type { BackupSource } from '../backup/take.ts'
import type { Config } from '../config.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { nodeFiles, type FilePort } from '../disk/files.ts'
import type { ServiceChanges } from '../lifecycle/service-changes.ts'
import type { Readers } from '../metrics/gauges.ts'
import type { Clock } from '../model/clock.ts'
import type { ScheduledBackupStatus } from '../operations/contract/backup-controls.ts'
import type { Database } from '../store/database.ts'
import type { OwnedDatabase } from '../store/open.ts'
import { takeLease } from '../store/tables/leases.ts'
import type { FirstAccount } from './first-start.ts'
import type { ServerOptions } from './options.ts'

export interface BackupSchedule {
  /** Call it once. */
  readonly begin: (changes: Pick<ServiceChanges, 'commit'>) => void
  /** Undefined if no backups are scheduled. */
  readonly status: () => ScheduledBackupStatus | undefined
  /** Takes a backup if one is due. */
  readonly runDue: () => Promise<void>
  readonly readers: Readers
  readonly close: () => Promise<void>
}

/** Renewed while a backup is being taken. */
const leaseMs = 120_000

/** Backups on demand, and those of the schedule. */
export function openBackups(
  { backups: settings, region }: Pick<Config, 'backups' | 'region'>,
  { log, journalFiles = nodeFiles }: Pick<ServerOptions, 'log' | 'journalFiles'>,
  {
    firstAccount: { accountId },
    ...source
  }: Pick<BackupSource, 'random'> & {
    readonly database: OwnedDatabase
    readonly keyring: Keyring
    readonly clock: Clock
    readonly firstAccount: Pick<FirstAccount, 'accountId'>
  },
): { readonly backups: Backups; readonly backupSchedule: BackupSchedule } {
  const backups = createBackups(source)
  const place = { accountId, region }
  const scheduling = { ...source, settings, files: journalFiles, backups, place, log }
  return { backups, backupSchedule: createBackupSchedule(scheduling) }
}

function createBackupSchedule(dependencies: {
  readonly settings: BackupSettings | undefined
  readonly files: FilePort
  readonly database: Pick<Database, 'query' | 'nodeId'>
  readonly backups: Pick<Backups, 'open'>
  readonly keyring: Pick<Keyring, 'backupKey' | 'deploymentId'>
  readonly clock: Clock
  /** The account and Region of the records. */
  readonly place: { readonly accountId: string; readonly region: string }
  readonly log: Pick<Logger, 'info' | 'error' | 'warn'>
}): BackupSchedule {
  const { settings, files, database, backups, keyring, clock, place, log } = dependencies
  const { query, nodeId } = database
  let scheduled: ScheduledBackups | undefined
  const lease = { name: 'take a scheduled backup', holder: nodeId ?? '' }
  const figures = (): ScheduleFigures | undefined => scheduled?.figures()
  return {
    begin(changes) {
      if (settings === undefined) return
      const onTaken = ({ name: file, change, rows, bytes }: TakenBackup): Promise<void> =>
        changes.commit(() => {
          const details = { file, change, rows, bytes }
          return Promise.resolve([{ eventName: 'TakeScheduledBackup', ...place, details }])
        })
      scheduled = scheduleBackups({
        settings,
        backups,
        files,
        keyring,
        clock,
        holder: nodeId ?? 'single',
        mayTake: async () =>
          nodeId === undefined || (await takeLease(query, lease, clock.system(), leaseMs)),
        onTaken,
        log,
      })
    },
    status() {
      const shown = figures()
      return settings && shown && statusOf(settings, shown)
    },
    runDue: async () => scheduled?.runDue(),
    readers: readersOf(settings, figures),
    close: async () => scheduled?.close(),
  }
}

function statusOf(
  { directory, intervalMs, keep }: BackupSettings,
  { last, kept, failures, failure }: ScheduleFigures,
): ScheduledBackupStatus {
  return {
    directory,
    intervalMinutes: intervalMs / 60_000,
    keep,
    kept,
    ...(last && {
      last: {
        file: last.name,
        createdAt: new Date(last.createdAt).toISOString(),
        change: last.change,
        bytes: last.bytes,
      },
    }),
    failures,
    ...(failure !== undefined && { failure }),
  }
}

function readersOf(
  settings: BackupSettings | undefined,
  figures: () => ScheduleFigures | undefined,
): Readers {
  if (settings === undefined) return {}
  const seconds = (ms: number | undefined): number | undefined => ms && ms / 1000
  return {
    trent_backup_age_seconds: () => seconds(figures()?.ageMs),
    trent_backup_interval_seconds: () => settings.intervalMs / 1000,
    trent_backup_seconds: () => seconds(figures()?.tookMs),
    trent_backup_bytes: () => figures()?.last?.bytes,
    trent_backups_kept: () => figures()?.kept,
    trent_backup_failures: () => figures()?.failures,
  }
}
