/**
 * The file that the first start writes for the operator: the root access key, in the form that AWS's
 * tools read through `AWS_SHARED_CREDENTIALS_FILE`.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { replaceFile } from '../disk/durable.ts'
import { nodeFiles } from '../disk/files.ts'

/**
 * Writes the file completely or not at all, readable by its owner only. It is on disk when this
 * resolves.
 */
export async function writeCredentialsFile(
  path: string,
  accessKeyId: string,
  secret: Uint8Array,
): Promise<void> {
  const head = `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = `
  const bytes = Buffer.concat([Buffer.from(head), secret, Buffer.from('\n')])
  try {
    await replaceFile(nodeFiles, path, bytes)
  } finally {
    bytes.fill(0)
  }
}

/** The access key id of the file's default profile; undefined when it cannot be read. */
export async function readAccessKeyId(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return /^\s*aws_access_key_id\s*=\s*(\w{3,128})\s*$/m.exec(text)?.[1]
}
