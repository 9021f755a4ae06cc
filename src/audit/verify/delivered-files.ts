/**
 * Reads files of an archive for the verifier: with size limits, and without following links.
 * @module
 */
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { readAll, type FilePort } from '../../disk/files.ts'
import type { JournalBreak } from './verify.ts'

export interface DeliveredFiles {
  readonly files: FilePort
  readonly directory: string
  readonly breaks: JournalBreak[]
}

const decompress = promisify(gunzip)
/**
 * Longer than any file that delivery makes, compressed or not: a log file holds one stretch of the
 * journal, and a digest describes at most 10,000 files.
 */
export const logBytesMax = 16 * 1024 * 1024
export const digestBytesMax = 64 * 1024 * 1024
export const metadataBytesMax = 64 * 1024
/** The most records to remember of log files that no digest names. */
const unlistedRecordsMax = 1_000_000

/** Whether `name` is the file of `object`: the archive directory may be the bucket, or contain it. */
export function isAt(name: string, object: string): boolean {
  return name === object || name.endsWith(`/${object}`)
}

/** What is wrong with an object that, according to the database, has been delivered. */
export async function objectFlaw(
  archive: DeliveredFiles,
  names: readonly string[],
  key: string,
  wanted: string,
): Promise<string | undefined> {
  const name = names.find((each) => isAt(each, key))
  const bytesMax = key.includes('/CloudTrail-Digest/') ? digestBytesMax : logBytesMax
  const text = name === undefined ? undefined : await textOf(archive, name, bytesMax)
  if (text === undefined) return 'it was delivered, and is missing or not readable'
  return hash('sha256', text, 'hex') === wanted ? undefined : 'it was delivered, and was changed'
}

/** The records in log files, each as `recordName` names it. */
export async function recordsIn(
  archive: DeliveredFiles,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (const name of names) {
    const text = await textOf(archive, name, logBytesMax)
    for (const record of text === undefined ? [] : recordsOf(text)) {
      if (found.size < unlistedRecordsMax) found.add(recordName(record))
    }
  }
  return found
}

/**
 * The name of a record's content. Only equal records have equal names: an attacker who forges a file
 * can write any event id into it.
 */
export function recordName(record: unknown): string {
  return hash('sha256', JSON.stringify(record) ?? '', 'base64url')
}

function recordsOf(text: Buffer): readonly unknown[] {
  try {
    const { Records: records } = JSON.parse(text.toString('utf8')) as { readonly Records: unknown }
    return Array.isArray(records) ? records : []
  } catch {
    return []
  }
}

/** Symbolic links are not followed: delivery did not write their targets here. */
export async function namesBelow(archive: DeliveredFiles, at: string): Promise<readonly string[]> {
  const names: string[] = []
  const { files, directory, breaks } = archive
  for (const { name, isDirectory, isFile = true } of await files.list(join(directory, at))) {
    const path = at === '' ? name : `${at}/${name}`
    if (isDirectory) names.push(...(await namesBelow(archive, path)))
    else if (isFile) names.push(path)
    else breaks.push({ file: path, offset: 0, why: 'this is a link, or not a regular file' })
  }
  return names
}

export async function textOf(
  archive: DeliveredFiles,
  name: string,
  bytesMax: number,
): Promise<Buffer | undefined> {
  const bytes = await bytesOf(archive, name, bytesMax)
  // Anything that is not gzip, or would be too large, is not what was delivered.
  return bytes && decompress(bytes, { maxOutputLength: bytesMax }).catch(() => undefined)
}

export async function bytesOf(
  { files, directory }: DeliveredFiles,
  name: string,
  bytesMax: number,
): Promise<Buffer | undefined> {
  let file
  try {
    file = await files.openToRead(join(directory, name))
  } catch {
    return undefined // a missing file: the caller decides what that means
  }
  try {
    const size = await file.size()
    if (size > bytesMax) return undefined
    const bytes = Buffer.alloc(size)
    await readAll(file, bytes, 0)
    return bytes
  } finally {
    await file.close()
  }
}
