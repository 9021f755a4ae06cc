/** Reads the settings of scheduled backups. @module */
import { resolve } from 'node:path'
import { SettingWrong } from '../webhooks/webhook-settings.ts'

export interface BackupSettings {
  /** Absolute path. */
  readonly directory: string
  /** Milliseconds between the beginnings of two backups. */
  readonly intervalMs: number
  /** Number of backups in the directory after one was taken. */
  readonly keep: number
}

export const backupNames = [
  'TRENT_BACKUP_DIR',
  'TRENT_BACKUP_INTERVAL_MINUTES',
  'TRENT_BACKUP_KEEP',
] as const
type Name = (typeof backupNames)[number]
type Settings = Readonly<Partial<Record<Name, string>>>

const minuteMs = 60_000
const intervalMinutes = { usual: 24 * 60, min: 1, max: 31 * 24 * 60 } as const
const kept = { usual: 14, min: 1, max: 1000 } as const

/** Undefined if no backups are scheduled. @throws {SettingWrong} */
export function readBackupSettings(settings: Settings): BackupSettings | undefined {
  const { TRENT_BACKUP_DIR: directory } = settings
  if (directory === undefined) {
    const idle = backupNames.find((name) => settings[name] !== undefined)
    if (idle === undefined) return undefined
    throw new SettingWrong(`${idle} needs TRENT_BACKUP_DIR: no backups are scheduled without it`)
  }
  return {
    directory: resolve(directory),
    intervalMs: minuteMs * whole(settings, 'TRENT_BACKUP_INTERVAL_MINUTES', intervalMinutes),
    keep: whole(settings, 'TRENT_BACKUP_KEEP', kept),
  }
}

function whole(
  settings: Settings,
  name: Name,
  { usual, min, max }: { readonly usual: number; readonly min: number; readonly max: number },
): number {
  const text = settings[name] ?? `${usual}`
  const number = /^\d{1,5}$/.test(text) ? Number(text) : NaN
  if (number >= min && number <= max) return number
  throw new SettingWrong(`${name} must be a whole number from ${min} to ${max}`)
}
