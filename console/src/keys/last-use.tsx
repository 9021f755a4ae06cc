/** The last use of a key, as GetKeyLastUsage reports it. @module */
import type { GetKeyLastUsageResponse } from '@aws-sdk/client-kms'
import Box from '@cloudscape-design/components/box'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import type { ReactNode } from 'react'
import { Moment } from '../shell/moment.tsx'
import { actionsText } from '../text/key-actions.ts'

export function LastUse({
  usage,
}: {
  readonly usage: GetKeyLastUsageResponse | undefined
}): ReactNode {
  if (usage === undefined) {
    return <StatusIndicator type="warning">{actionsText.useUnknown}</StatusIndicator>
  }
  const { KeyLastUsage: last, TrackingStartDate: since } = usage
  if (last?.Timestamp === undefined) {
    return (
      <Box color="text-body-secondary">
        {actionsText.neverUsed(since === undefined ? '-' : since.toLocaleDateString())}
      </Box>
    )
  }
  return (
    <div>
      {actionsText.usedAt} <Moment at={last.Timestamp} />, {last.Operation}
    </div>
  )
}
