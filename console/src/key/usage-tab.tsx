/** Who used a key last, and when; how often it was used; its latest calls. @module */
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs'
import Link from '@cloudscape-design/components/link'
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { ReactNode } from 'react'
import { Chart } from '../activity/chart.tsx'
import { LastUse, lastUseOf } from '../keys/last-use.tsx'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { Moment } from '../shell/moment.tsx'
import { Panel } from '../shell/panel.tsx'
import { hrefOf } from '../shell/router.ts'
import { Loading } from '../shell/screen.tsx'
import { keyText } from '../text/key.ts'
import { text } from '../text/text.ts'
import type { KeyTabProps } from './key-screen.tsx'
import { Requests } from './requests.tsx'

const words = keyText.usage

export function UsageTab({ keyId, metadata }: KeyTabProps): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked(`usage ${keyId}`, () => lastUseOf(aws, region, keyId))
  if (asked.state === 'loading') return <Loading />
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={words.failed} again={again} />
  }
  const { usage, record } = asked.value
  const { KeyLastUsage: last } = usage
  return (
    <SpaceBetween size="m">
      <Panel title={words.title} hint={words.hint}>
        {last?.Timestamp === undefined ? (
          <LastUse use={asked.value} />
        ) : (
          <KeyValuePairs
            columns={3}
            items={[
              { label: words.at, value: <Moment at={last.Timestamp} /> },
              { label: words.operation, value: last.Operation ?? text.none },
              {
                label: words.who,
                value: <span className="text">{record.principal ?? text.none}</span>,
              },
              { label: words.source, value: record.source ?? text.none },
              { label: words.request, value: <code>{last.KmsRequestId ?? text.none}</code> },
            ]}
          />
        )}
      </Panel>
      <Requests arn={metadata.Arn ?? keyId} />
      <Calls arn={metadata.Arn ?? keyId} />
    </SpaceBetween>
  )
}

/** The latest calls that named the key, in a small chart. */
function Calls({ arn }: { readonly arn: string }): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked(`calls ${arn}`, async () => {
    const LookupAttributes = [{ AttributeKey: 'ResourceName' as const, AttributeValue: arn }]
    const { Events = [] } = await aws.run(CloudTrailClient, region, (trail) =>
      trail.send(new LookupEventsCommand({ LookupAttributes, MaxResults: 50 })),
    )
    return Events
  })
  return (
    <>
      {asked.state === 'failed' && (
        <Failed error={asked.error} title={words.callsFailed} again={again} />
      )}
      {asked.state !== 'failed' && (
        <Chart
          events={asked.state === 'here' ? asked.value : []}
          title={words.calls}
          loading={asked.state === 'loading'}
        />
      )}
      <Link href={hrefOf(region, ['activity'], { by: 'ResourceName', value: arn })}>
        {words.activity}
      </Link>
    </>
  )
}
