/** The audit records of a server, running or stopped, as a test reads them. @module */
import { join } from 'node:path'
import { nodeFiles } from '../../src/disk/files.ts'
import { recordTextOf } from '../../src/audit/journal/frame.ts'
import { walkStream } from '../../src/audit/journal/walk-stream.ts'

export interface AuditRecord {
  readonly additionalEventData?: Readonly<Record<string, unknown>>
  readonly eventID: string
  readonly eventName: string
  readonly eventSource: string
  readonly eventTime: string
  readonly eventType: string
  readonly awsRegion: string
  readonly requestID?: string
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly readOnly: boolean
  readonly sourceIPAddress: string
  readonly userAgent?: string
  readonly userIdentity: Readonly<Record<string, unknown>>
  readonly requestParameters: Readonly<Record<string, unknown>> | null
  readonly responseElements: Readonly<Record<string, unknown>> | null
  readonly resources: readonly Readonly<Record<string, string>>[]
  readonly recipientAccountId: string
  readonly sharedEventID?: string
  readonly trent: { readonly reasons: readonly Readonly<Record<string, unknown>>[] }
}

/** Each as its JSON text, oldest first: those of several workers by the times at which they were written. */
export async function recordTexts(dataDirectory: string): Promise<readonly string[]> {
  const directory = join(dataDirectory, 'journal')
  const entries = await nodeFiles.list(directory)
  const streams = entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name)
  const all = await Promise.all(streams.map((stream) => timedTexts(directory, stream)))
  const [first = []] = all
  const inOrder = all.length === 1 ? first : all.flat().toSorted((a, b) => a.time - b.time)
  return inOrder.map(({ text }) => text)
}

async function timedTexts(
  directory: string,
  stream: string,
): Promise<readonly { readonly time: number; readonly text: string }[]> {
  const texts: { time: number; text: string }[] = []
  const walk = walkStream({ files: nodeFiles, directory, stream }, 1, ({ kind, time, payload }) => {
    if (kind === 'record') texts.push({ time, text: recordTextOf(payload).toString('utf8') })
  })
  for await (const segment of walk) if (segment.flaw !== undefined) break
  return texts
}

export async function recordsOf(dataDirectory: string): Promise<readonly AuditRecord[]> {
  return (await recordTexts(dataDirectory)).map((text) => JSON.parse(text) as AuditRecord)
}
