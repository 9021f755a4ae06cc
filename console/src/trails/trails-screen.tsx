/** The trails that cover the Region: where they deliver, whether they log, and their last deliveries. @module */
import {
  CloudTrailClient,
  DescribeTrailsCommand,
  GetTrailStatusCommand,
  type GetTrailStatusResponse,
  type Trail,
} from '@aws-sdk/client-cloudtrail'
import Box from '@cloudscape-design/components/box'
import SpaceBetween from '@cloudscape-design/components/space-between'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import type { ReactNode } from 'react'
import type { Aws } from '../aws/aws.ts'
import { failureOf } from '../aws/failure.ts'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { RefreshButton } from '../shell/refresh-button.tsx'
import { Failed } from '../shell/failed.tsx'
import { ListTable } from '../shell/list-table.tsx'
import { Moment } from '../shell/moment.tsx'
import { trailsText } from '../text/trails.ts'

interface ShownTrail extends Trail {
  readonly status?: GetTrailStatusResponse
  /** Why its status is not here. */
  readonly failed?: string
}

const { columns } = trailsText

export function TrailsScreen(): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked('trails', () => readTrails(aws, region))
  return (
    <SpaceBetween size="m">
      {asked.state === 'failed' && (
        <Failed error={asked.error} title={trailsText.failed} again={again} />
      )}
      <ListTable<ShownTrail>
        title={trailsText.title}
        hint={trailsText.hint}
        variant="full-page"
        items={asked.state === 'here' ? asked.value : []}
        loading={asked.state === 'loading'}
        trackBy="TrailARN"
        empty={asked.state === 'here' && <NoTrails />}
        columns={trailColumns}
        wrapLines
        actions={<RefreshButton onClick={again} />}
      />
    </SpaceBetween>
  )
}

async function readTrails(aws: Aws, region: string): Promise<readonly ShownTrail[]> {
  const { trailList = [] } = await aws.run(CloudTrailClient, region, (trails) =>
    trails.send(new DescribeTrailsCommand()),
  )
  return Promise.all(trailList.map((trail) => withStatus(aws, region, trail)))
}

/** Some may see trails, but not the status of each. */
async function withStatus(aws: Aws, region: string, trail: Trail): Promise<ShownTrail> {
  try {
    const status = await aws.run(CloudTrailClient, trail.HomeRegion ?? region, (trails) =>
      trails.send(new GetTrailStatusCommand({ Name: trail.TrailARN })),
    )
    return { ...trail, status }
  } catch (error) {
    return { ...trail, failed: failureOf(error).code }
  }
}

function NoTrails(): ReactNode {
  return (
    <Box textAlign="center">
      <strong>{trailsText.empty}</strong>
      <div>{trailsText.emptyHint}</div>
      <code>{trailsText.createCommand}</code>
    </Box>
  )
}

const trailColumns = [
  { id: 'name', header: columns.name, cell: ({ Name }: ShownTrail) => Name, isRowHeader: true },
  {
    id: 'logging',
    header: columns.logging,
    cell: (trail: ShownTrail) => <Logging trail={trail} />,
  },
  {
    id: 'bucket',
    header: columns.bucket,
    cell: ({ S3BucketName: bucket = '', S3KeyPrefix: prefix }: ShownTrail) =>
      prefix === undefined ? bucket : `${bucket}/${prefix}`,
  },
  {
    id: 'records',
    header: columns.records,
    cell: (trail: ShownTrail) => recordsOf(trail),
  },
  {
    id: 'delivered',
    header: columns.delivered,
    cell: ({ status }: ShownTrail) => (
      <Delivery at={status?.LatestDeliveryTime} error={status?.LatestDeliveryError} />
    ),
  },
  {
    id: 'digest',
    header: columns.digest,
    cell: ({ status, LogFileValidationEnabled: has }: ShownTrail) =>
      has === true ? (
        <Delivery at={status?.LatestDigestDeliveryTime} error={status?.LatestDigestDeliveryError} />
      ) : (
        trailsText.noDigests
      ),
  },
  {
    id: 'home',
    header: columns.homeRegion,
    cell: ({ HomeRegion }: ShownTrail) => HomeRegion,
  },
]

function Logging({ trail: { status, failed } }: { readonly trail: ShownTrail }): ReactNode {
  if (status === undefined) {
    return (
      <StatusIndicator type="warning">
        {trailsText.notShown} <code>{failed}</code>
      </StatusIndicator>
    )
  }
  if (status.IsLogging !== true) {
    return <StatusIndicator type="stopped">{trailsText.off}</StatusIndicator>
  }
  const { LatestDeliveryError: delivery = '', LatestDigestDeliveryError: digest = '' } = status
  return delivery === '' && digest === '' ? (
    <StatusIndicator type="success">{trailsText.on}</StatusIndicator>
  ) : (
    <StatusIndicator type="error">{trailsText.failing}</StatusIndicator>
  )
}

function recordsOf(trail: ShownTrail): string {
  const { IsMultiRegionTrail, HomeRegion = '', HasCustomEventSelectors } = trail
  return [
    IsMultiRegionTrail === true ? trailsText.allRegions : trailsText.oneRegion(HomeRegion),
    ...(HasCustomEventSelectors === true ? [trailsText.selected] : []),
    ...(trail.IncludeGlobalServiceEvents === false ? [trailsText.noGlobal] : []),
  ].join(', ')
}

function Delivery({
  at,
  error = '',
}: {
  readonly at: Date | undefined
  readonly error: string | undefined
}): ReactNode {
  return (
    <div>
      {at === undefined ? trailsText.never : <Moment at={at} />}
      {error !== '' && <div className="text">{error}</div>}
    </div>
  )
}
