/**
 * Reads a journal's records, stream by stream, oldest first. A server may write the journal meanwhile.
 * @module
 */
import { nodeFiles } from '../../disk/files.ts'
import { isStreamName, recordTextOf } from './frame.ts'
import { walkStream } from './walk-stream.ts'

/**
 * Calls `onRecord` with each record and its stream. Damage ends the reading of a stream; `verify`
 * reports it.
 */
export async function readRecords(
  directory: string,
  onRecord: (record: string, stream: string) => void,
): Promise<void> {
  const entries = await nodeFiles.list(directory)
  for (const { name, isDirectory } of entries) {
    if (!isDirectory || !isStreamName(name)) continue
    const walk = walkStream({ files: nodeFiles, directory, stream: name }, 1, (frame) => {
      if (frame.kind === 'record') onRecord(recordTextOf(frame.payload).toString('utf8'), name)
    })
    for await (const segment of walk) if (segment.flaw !== undefined) break
  }
}
