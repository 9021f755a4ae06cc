/** Who used a key last, and when. @module */
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { GetKeyLastUsageCommand, KMSClient } from '@aws-sdk/client-kms'
import Box from '@cloudscape-design/components/box'
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs'
import Link from '@cloudscape-design/components/link'
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { ReactNode } from 'react'
import type { Aws } from '../aws/aws.ts'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { Moment } from '../shell/moment.tsx'
import { hrefOf } from '../shell/router.ts'
import { Loading } from '../shell/screen.tsx'
import { keyText } from '../text/key.ts'
import { text } from '../text/text.ts'
import type { KeyTabProps } from './key-screen.tsx'

const words = keyText.usage

export function UsageTab({ keyId, metadata }: KeyTabProps): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked(`usage ${keyId}`, async () => {
    const usage = await aws.run(KMSClient, region, (kms) =>
      kms.send(new GetKeyLastUsageCommand({ KeyId: keyId })),
    )
    const eventId = usage.KeyLastUsage?.CloudTrailEventId
    const who = eventId === undefined ? undefined : await callerOf(aws, region, eventId)
    return { usage, who }
  })
  if (asked.state === 'loading') return <Loading />
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={words.failed} again={again} />
  }
  const { usage, who } = asked.value
  const { KeyLastUsage: last, TrackingStartDate: since } = usage
  return (
    <Container
      header={
        <Header variant="h2" description={words.hint}>
          {words.title}
        </Header>
      }
    >
      <SpaceBetween size="m">
        {last?.Timestamp === undefined ? (
          <Box>{words.never(since?.toLocaleString() ?? text.none)}</Box>
        ) : (
          <KeyValuePairs
            columns={3}
            items={[
              { label: words.at, value: <Moment at={last.Timestamp} /> },
              { label: words.operation, value: last.Operation ?? text.none },
              { label: words.who, value: <span className="text">{who?.arn ?? text.none}</span> },
              { label: words.source, value: who?.source ?? text.none },
              { label: words.request, value: <code>{last.KmsRequestId ?? text.none}</code> },
            ]}
          />
        )}
        <Link href={hrefOf(region, ['activity'], { resource: metadata.Arn ?? keyId })}>
          {words.activity}
        </Link>
      </SpaceBetween>
    </Container>
  )
}

/** The caller of a recorded event; undefined when the caller may not look it up or it is too old. */
export async function callerOf(
  aws: Aws,
  region: string,
  eventId: string,
): Promise<{ readonly arn?: string; readonly source?: string } | undefined> {
  try {
    const LookupAttributes = [{ AttributeKey: 'EventId' as const, AttributeValue: eventId }]
    const { Events: [event] = [] } = await aws.run(CloudTrailClient, region, (trail) =>
      trail.send(new LookupEventsCommand({ LookupAttributes })),
    )
    const record = JSON.parse(event?.CloudTrailEvent ?? '{}') as {
      readonly userIdentity?: { readonly arn?: string; readonly invokedBy?: string }
      readonly sourceIPAddress?: string
    }
    const arn = record.userIdentity?.arn ?? record.userIdentity?.invokedBy
    const source = record.sourceIPAddress
    return { ...(arn !== undefined && { arn }), ...(source !== undefined && { source }) }
  } catch {
    return undefined
  }
}
