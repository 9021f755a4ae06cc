/** The last use of a key: when, and by whom. @module */
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  GetKeyLastUsageCommand,
  type GetKeyLastUsageResponse,
  KMSClient,
} from '@aws-sdk/client-kms'
import Box from '@cloudscape-design/components/box'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import type { ReactNode } from 'react'
import { recordOf, type ShownRecord } from '../activity/events.ts'
import type { Aws } from '../aws/aws.ts'
import { whenRecorded } from '../aws/when-recorded.ts'
import { Moment } from '../shell/moment.tsx'
import { actionsText } from '../text/key-actions.ts'

export interface KeyUse {
  readonly usage: GetKeyLastUsageResponse
  /** Empty when nobody used the key, or when the caller cannot look up the event. */
  readonly record: ShownRecord
}

/** The record of an older use is there already, or not at all. */
const recentMs = 60_000

export async function lastUseOf(aws: Aws, region: string, KeyId: string): Promise<KeyUse> {
  const usage = await aws.run(KMSClient, region, (kms) =>
    kms.send(new GetKeyLastUsageCommand({ KeyId })),
  )
  const { CloudTrailEventId: id, Timestamp } = usage.KeyLastUsage ?? {}
  if (id === undefined || Timestamp === undefined) return { usage, record: {} }
  const isRecent = new Date().getTime() - Timestamp.getTime() < recentMs
  const find = (): Promise<ShownRecord> => recordOfEvent(aws, region, id)
  // The time is known without the record. A caller may lack the right to look it up, and it may be too old.
  const record = await (isRecent ? whenRecorded(find) : find()).catch(() => ({}))
  return { usage, record }
}

/** @throws `NotFoundException` */
async function recordOfEvent(aws: Aws, region: string, id: string): Promise<ShownRecord> {
  const LookupAttributes = [{ AttributeKey: 'EventId' as const, AttributeValue: id }]
  const { Events: [event] = [] } = await aws.run(CloudTrailClient, region, (trail) =>
    trail.send(new LookupEventsCommand({ LookupAttributes })),
  )
  if (event !== undefined) return recordOf(event)
  const missing = new Error(id)
  missing.name = 'NotFoundException'
  throw missing
}

export function LastUse({ use }: { readonly use: KeyUse | undefined }): ReactNode {
  if (use === undefined) {
    return <StatusIndicator type="warning">{actionsText.useUnknown}</StatusIndicator>
  }
  const { KeyLastUsage: last, TrackingStartDate: since } = use.usage
  if (last?.Timestamp === undefined) {
    return (
      <Box color="text-body-secondary">
        {actionsText.notUsedSince} <Moment at={since} />
      </Box>
    )
  }
  return (
    <div className="text">
      {actionsText.usedAt} <Moment at={last.Timestamp} />, {last.Operation}, {actionsText.usedBy}{' '}
      {use.record.principal ?? actionsText.userUnknown}
    </div>
  )
}
