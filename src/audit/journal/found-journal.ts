/**
 * Reads from a journal's files which deployment wrote them. A start does this before it opens anything,
 * so that a refused start leaves every file unchanged.
 * @module
 */
import { codeOf } from '../../disk/error-code.ts'
import { readCheckpoint } from './checkpoint.ts'
import type { FilePort } from '../../disk/files.ts'
import { isStreamName } from './frame.ts'
import { tallyStream } from './stream-anchor.ts'
import { listSegments } from './walk-stream.ts'
import { readWritersList, writersFile } from './writers-list.ts'

export interface FoundJournal {
  /** Names of the streams that have at least one segment. */
  readonly streams: readonly string[]
  /**
   * Whether a deployment has used it: it has a list of writers, a record or a checkpoint. A first start
   * that dies early leaves only an empty segment.
   */
  readonly isUsed: boolean
  /** The id of the deployment that wrote it, if the files say so. Signatures are not checked here. */
  readonly deployment: string | undefined
}

interface JournalFiles {
  readonly files: FilePort
  /** The journal's directory; it need not exist. */
  readonly directory: string
}

/** @throws when a file that exists cannot be read */
export async function findJournal({ files, directory }: JournalFiles): Promise<FoundJournal> {
  const entries = await listOrNothing(files, directory)
  const streams: string[] = []
  for (const { name, isDirectory } of entries) {
    if (!isDirectory || !isStreamName(name)) continue
    const { numbers } = await listSegments({ files, directory, stream: name })
    if (numbers.length > 0) streams.push(name)
  }
  if (entries.some(({ name }) => name === writersFile)) {
    const list = await readWritersList({ files, directory }, [])
    if (typeof list !== 'string') return { streams, isUsed: true, deployment: list.deployment }
  }
  let isUsed = entries.some(({ name }) => name === writersFile)
  let deployment: string | undefined
  for (const stream of streams) {
    const { records, last } = await tallyStream({ files, directory, stream })
    isUsed ||= records > 0 || last !== undefined
    deployment ??= readCheckpoint(last?.text ?? '')?.deployment
  }
  return { streams, isUsed, deployment }
}

async function listOrNothing(
  files: FilePort,
  directory: string,
): Promise<Awaited<ReturnType<FilePort['list']>>> {
  try {
    return await files.list(directory)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
