/** A worker's stream of the audit journal, measured. @module */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { nodeFiles, type FilePort } from '../../disk/files.ts'
import { createNewRecords, type NewRecords } from '../../audit/index/new-records.ts'
import type { OpenJournal } from '../../audit/journal/journal.ts'
import { openJournal } from '../../audit/journal/open-journal.ts'
import { createSegmentErrors } from '../../audit/journal/segment-errors.ts'
import type { Config } from '../../config.ts'
import { measuredFiles, measuredJournal } from '../../metrics/measured.ts'
import type { Meter } from '../../metrics/meter.ts'
import { journalReaders } from '../../metrics/readers.ts'
import type { Clock } from '../../model/clock.ts'
import { streamOf } from '../../model/node.ts'
import type { SharedMemory } from './memory.ts'

export interface OpenStream {
  readonly journal: OpenJournal
  /** The journal's directory, which holds the stream. */
  readonly journalDirectory: string
  /** Called with failures of the journal, its checkpoints and its delivery. */
  readonly onError: (error: Error) => void
  /** Takes the records that the event index lacks. */
  readonly takeRecords: () => NewRecords
}

export async function openStream(of: {
  readonly worker: number
  readonly nodeId: string | undefined
  readonly config: Pick<Config, 'dataDirectory' | 'auditSegmentSeconds'>
  readonly memory: Pick<SharedMemory, 'segmentErrors'>
  readonly clock: Pick<Clock, 'system'>
  readonly meter: Meter
  readonly log: Pick<Logger, 'error'>
  readonly files?: FilePort | undefined
  readonly onFatal: (error: Error) => void
}): Promise<OpenStream> {
  const { config, clock, meter, log, files = nodeFiles, onFatal } = of
  const journalDirectory = join(config.dataDirectory, 'journal')
  const onError = (error: Error): void => {
    meter.journalFailed()
    log.error({ err: error }, 'the audit journal has failed')
  }
  const records = createNewRecords()
  const opened = await openJournal({
    directory: journalDirectory,
    stream: streamOf(of.worker, of.nodeId),
    clock,
    segmentAgeMs: config.auditSegmentSeconds * 1000,
    segmentErrors: createSegmentErrors(of.memory.segmentErrors),
    onRecords: (batch) => records.add(batch),
    onFatal,
    onError,
    files: measuredFiles(files, meter.synced),
  })
  const journal = measuredJournal(opened, meter.appended)
  meter.observe(journalReaders(journal))
  return { journal, journalDirectory, onError, takeRecords: () => records.take(opened.position) }
}
