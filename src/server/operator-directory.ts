/** The directory of the operators' socket, if it is not the data directory. @module */
import { chmod, chown, mkdir, stat } from 'node:fs/promises'
import { ConfigError, type Config } from '../config.ts'
import { groupId } from '../operator/system-users.ts'

const writableByOthers = 0o022

/**
 * Creates the directory if it does not exist, and opens it to the group. Returns the group's number.
 * @throws {ConfigError} when the group does not exist, or when others could put another socket in the place
 *   of this one: they would read what operators send
 */
export async function makeOperatorDirectory({
  operatorDirectory: path,
  operatorGroup,
  dataDirectory,
}: Pick<Config, 'operatorDirectory' | 'operatorGroup' | 'dataDirectory'>): Promise<
  number | undefined
> {
  const group = operatorGroup === undefined ? undefined : groupId(operatorGroup)
  if (operatorGroup !== undefined && group === undefined) {
    throw new ConfigError(`TRENT_OPERATOR_GROUP: there is no group ${operatorGroup}`)
  }
  if (path === dataDirectory) return undefined
  await makeOnce(path)
  const { mode, uid } = await stat(path)
  const isOwn = uid === process.geteuid?.()
  if ((!isOwn && uid !== 0) || (mode & writableByOthers) !== 0) {
    throw new ConfigError(
      `TRENT_OPERATOR_DIR: others than the server may write to ${path}: ` +
        'it must belong to the server, with mode 750',
    )
  }
  if (isOwn && group !== undefined) await openTo(group, path, uid)
  return group
}

async function makeOnce(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return
    throw error
  }
}

async function openTo(group: number, path: string, owner: number): Promise<void> {
  await chown(path, owner, group).catch((cause: unknown) => {
    throw new ConfigError(
      `TRENT_OPERATOR_GROUP: the server's user may not give ${path} to group ${group}: make it a member`,
      { cause },
    )
  })
  await chmod(path, 0o750)
}
