/** Checks the directories of a deployment: who may use them, and how much room they have. @module */
import { constants, existsSync } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { journalReserveBytes } from '../../audit/journal/journal.ts'
import { requireSafeBackupDirectory } from '../../backup/backup-directory.ts'
import type { Config } from '../../config.ts'
import type { FilePort } from '../../disk/files.ts'
import { requireSafeDataDirectory } from '../../server/data-directory.ts'
import { requireSafeOperatorDirectory } from '../../server/operator-directory.ts'
import { failureOf, ok, type Outcome } from './finding.ts'

interface Place {
  readonly setting: string
  readonly path: string
}

/** The directories that a server writes to, each once. */
function placesOf({ dataDirectory, backups, delivery, operatorDirectory }: Config): Place[] {
  const places = [{ setting: 'TRENT_DATA_DIR', path: dataDirectory }]
  if (operatorDirectory !== dataDirectory) {
    places.push({ setting: 'TRENT_OPERATOR_DIR', path: operatorDirectory })
  }
  if (backups) places.push({ setting: 'TRENT_BACKUP_DIR', path: backups.directory })
  if (delivery.place?.kind === 'directory') {
    places.push({ setting: 'TRENT_AUDIT_DIR', path: delivery.place.path })
  }
  return places
}

export async function permissionOutcomes(config: Config): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const place of placesOf(config)) {
    try {
      outcomes.push(await usable(place))
      if (!existsSync(place.path)) continue
      if (place.path === config.dataDirectory) await requireSafeDataDirectory(place.path)
      if (place.setting === 'TRENT_BACKUP_DIR') await requireSafeBackupDirectory(place.path)
      if (place.setting === 'TRENT_OPERATOR_DIR') await requireSafeOperatorDirectory(config)
    } catch (error) {
      outcomes.push(failureOf(error, `correct who may use ${place.path}`))
    }
  }
  return outcomes
}

/** Whether this user can work in the directory, or make it. */
async function usable({ setting, path }: Place): Promise<Outcome> {
  const nearest = nearestOf(path)
  const { uid, ...stats } = await stat(nearest)
  if ((stats.mode & constants.S_IFMT) !== constants.S_IFDIR) {
    const todo = 'move the file away, or correct the setting'
    return { state: 'failed', found: `${setting}: ${nearest} is not a directory`, todo }
  }
  const user = process.geteuid?.()
  const mayUse = await access(nearest, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!mayUse) {
    const found = `${setting}: user ${user} may not write to ${nearest}, which belongs to user ${uid}`
    return { state: 'failed', found, todo: `run the server as user ${uid}, or chown it` }
  }
  if (nearest !== path) return ok(`${setting}: ${path} does not exist; a start makes it`)
  if (user === 0 && uid !== 0) {
    const found = `${setting}: ${path} belongs to user ${uid}, and this command runs as root`
    return { state: 'warning', found, todo: `run this command as user ${uid}, like the server` }
  }
  return ok(`${setting}: ${path} belongs to user ${uid}`)
}

/** The directory itself, or the nearest one above it that exists. */
function nearestOf(path: string): string {
  return existsSync(path) ? path : nearestOf(dirname(path))
}

/** Room for a few closed segments of the journal. */
const fewBytes = 4 * journalReserveBytes

export async function diskOutcomes(
  config: Config,
  files: Pick<FilePort, 'freeBytes'>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const { setting, path } of placesOf(config)) {
    // It has nothing but the socket.
    if (setting === 'TRENT_OPERATOR_DIR') continue
    const free = await files.freeBytes(nearestOf(path))
    const found = `${setting}: ${mebibytes(free)} MiB are free for ${path}`
    const todo =
      `free some room: below ${mebibytes(journalReserveBytes)} MiB, the server is not ready and takes ` +
      'no backups'
    if (free < journalReserveBytes) outcomes.push({ state: 'failed', found, todo })
    else if (free < fewBytes) outcomes.push({ state: 'warning', found, todo })
    else outcomes.push(ok(found))
  }
  return outcomes
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / 2 ** 20)
}
