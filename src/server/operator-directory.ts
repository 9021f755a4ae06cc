/** The directory of the operators' socket, if it is not the data directory. @module */
import { constants } from 'node:fs'
import { lstat, mkdir, open, readlink, type FileHandle } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { ConfigError, type Config } from '../config.ts'
import { codeOf } from '../disk/error-code.ts'
import { groupId } from '../operator/system-users.ts'

const writableByOthers = 0o022
/** Only the owner of an entry may rename or remove it. */
const sticky = 0o1000
const passableByGroup = 0o010
const passableByAll = 0o001

/**
 * Creates the directory for the group if it does not exist. One that exists stays as it is: it may be a
 * directory of the system. Returns the group's number.
 * @throws {ConfigError} when the group does not exist or cannot come in, or when others could put another
 *   socket in the place of this one: they would read what operators send
 */
export async function makeOperatorDirectory({
  operatorDirectory: path,
  operatorGroup,
  dataDirectory,
}: Pick<Config, 'operatorDirectory' | 'operatorGroup' | 'dataDirectory'>): Promise<
  number | undefined
> {
  const group = groupOf(operatorGroup)
  if (path === dataDirectory) return undefined
  await requireSafeParents(path)
  const isNew = await isMade(path)
  const directory = await openDirectory(path)
  try {
    const { uid } = await directory.stat()
    if (isNew && group !== undefined) {
      await directory.chown(uid, group).catch((cause: unknown) => {
        throw new ConfigError(
          `TRENT_OPERATOR_GROUP: the server's user is not in the group ${operatorGroup}: make it a member`,
          { cause },
        )
      })
      await directory.chmod(0o750)
    }
    requireSafe(path, await directory.stat(), group)
  } finally {
    await directory.close()
  }
  return group
}

/**
 * Checks a directory that exists, and changes nothing.
 * @throws {ConfigError} as `makeOperatorDirectory`
 */
export async function requireSafeOperatorDirectory({
  operatorDirectory: path,
  operatorGroup,
}: Pick<Config, 'operatorDirectory' | 'operatorGroup'>): Promise<void> {
  const group = groupOf(operatorGroup)
  await requireSafeParents(path)
  const directory = await openDirectory(path)
  try {
    requireSafe(path, await directory.stat(), group)
  } finally {
    await directory.close()
  }
}

/** @throws {ConfigError} when the group does not exist */
function groupOf(name: string | undefined): number | undefined {
  const group = name === undefined ? undefined : groupId(name)
  if (name === undefined || group !== undefined) return group
  throw new ConfigError(`TRENT_OPERATOR_GROUP: there is no group ${name}`)
}

/** Whoever owns the parent could put a symbolic link there. @throws {ConfigError} */
function openDirectory(path: string): Promise<FileHandle> {
  return open(path, constants.O_DIRECTORY | constants.O_NOFOLLOW).catch((cause: unknown) => {
    throw new ConfigError(`TRENT_OPERATOR_DIR: ${path} is not a directory`, { cause })
  })
}

function requireSafe(
  path: string,
  { mode, uid, gid }: { readonly mode: number; readonly uid: number; readonly gid: number },
  group: number | undefined,
): void {
  if (!isOurs(uid) || (mode & writableByOthers) !== 0) {
    throw new ConfigError(
      `TRENT_OPERATOR_DIR: others than the server may write to ${path}: ` +
        'it must belong to the server, with mode 750',
    )
  }
  const isPassable =
    (mode & passableByAll) !== 0 || (gid === group && (mode & passableByGroup) !== 0)
  if (group === undefined || isPassable) return
  throw new ConfigError(
    `TRENT_OPERATOR_DIR: the group does not enter ${path}: chgrp it, or chmod 755`,
  )
}

function isOurs(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.()
}

/**
 * Whoever may write to a directory above can put another directory in the place of the one below.
 * @throws {ConfigError}
 */
async function requireSafeParents(path: string): Promise<void> {
  for (const parent of await parentsOf(path)) {
    const { mode, uid } = await lstat(parent)
    const isKept = (mode & writableByOthers) === 0 || (mode & sticky) !== 0
    // The mode of a symbolic link says nothing.
    const isLink = (mode & constants.S_IFMT) === constants.S_IFLNK
    if (isOurs(uid) && (isKept || isLink)) continue
    throw new ConfigError(
      `TRENT_OPERATOR_DIR: others than the server may write to ${parent}, above ${path}: ` +
        "it must belong to root or the server's user, with mode 755",
    )
  }
}

/** All directories above, the symbolic links among them, and the directories above what these lead to. */
async function parentsOf(path: string, found = new Set<string>()): Promise<ReadonlySet<string>> {
  const parent = dirname(path)
  if (parent === path || found.has(parent)) return found
  const target = await readlink(parent).catch((cause: unknown) => {
    if (codeOf(cause) === 'EINVAL') return undefined // no link
    throw new ConfigError(`TRENT_OPERATOR_DIR: ${parent}, above ${path}, cannot be used`, { cause })
  })
  found.add(parent)
  await parentsOf(parent, found)
  if (target === undefined) return found
  return await parentsOf(join(resolve(dirname(parent), target), 'below'), found)
}

async function isMade(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 })
    return true
  } catch (cause) {
    const code = codeOf(cause)
    if (code === 'EEXIST') return false
    throw new ConfigError(`TRENT_OPERATOR_DIR: ${path} cannot be made: ${String(code)}`, { cause })
  }
}
