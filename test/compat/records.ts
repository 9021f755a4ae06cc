/** The audit records of a server, running or stopped, as a test reads them. @module */
import { join } from 'node:path'
import { readRecords } from '../../src/audit/read-records.ts'

export interface AuditRecord {
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

/** Each as its JSON text, oldest first. */
export async function recordTexts(dataDirectory: string): Promise<readonly string[]> {
  const texts: string[] = []
  await readRecords(join(dataDirectory, 'journal'), (text) => texts.push(text))
  return texts
}

export async function recordsOf(dataDirectory: string): Promise<readonly AuditRecord[]> {
  return (await recordTexts(dataDirectory)).map((text) => JSON.parse(text) as AuditRecord)
}
