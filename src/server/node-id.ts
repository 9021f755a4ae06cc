/** The id of a node, kept in its data directory: the node has it through restarts. @module */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../config.ts'
import { replaceFile } from '../disk/durable.ts'
import { codeOf } from '../disk/error-code.ts'
import type { FilePort } from '../disk/files.ts'
import type { Random } from '../model/clock.ts'
import { isNodeId } from '../model/node.ts'

const fileName = 'node'
const idBytes = 8

/**
 * Reads the id, or makes it at the first start.
 * @throws {ConfigError} if the file holds something else
 */
export async function readNodeId(
  dataDirectory: string,
  files: FilePort,
  random: Random,
): Promise<string> {
  const path = join(dataDirectory, fileName)
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) {
    const made = Buffer.from(random.bytes(idBytes)).toString('hex')
    await replaceFile(files, path, Buffer.from(`${made}\n`))
    return made
  }
  const id = text.trimEnd()
  if (isNodeId(id)) return id
  throw new ConfigError(
    `${path} must hold the id of this node, 16 hexadecimal digits: put the file back, or remove it ` +
      'with the journal of the node',
  )
}
