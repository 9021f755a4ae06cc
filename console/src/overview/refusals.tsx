/** Refused calls of the last day on the overview, and which calls were looked at for them. @module */
import {
  CloudTrailClient,
  type Event,
  LookupEventsCommand,
  type LookupEventsCommandOutput,
} from '@aws-sdk/client-cloudtrail'
import Box from '@cloudscape-design/components/box'
import Link from '@cloudscape-design/components/link'
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { ReactNode } from 'react'
import { recordOf } from '../activity/events.ts'
import type { Aws } from '../aws/aws.ts'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { Moment } from '../shell/moment.tsx'
import { Panel } from '../shell/panel.tsx'
import { hrefOf } from '../shell/router.ts'
import { overviewText } from '../text/activity.ts'

const dayMs = 86_400_000
/** Pages of 50 events, newest first. */
const pagesMax = 4
/** Milliseconds between two pages: AWS takes two calls a second. */
const pageMs = 500
const shownMax = 20

interface LookedAt {
  readonly refused: readonly Event[]
  readonly calls: number
  /** The oldest event, if there are more of the last day that were not looked at. */
  readonly since?: Date | undefined
}

async function lookForRefusals(aws: Aws, region: string): Promise<LookedAt> {
  const StartTime = new Date(new Date().getTime() - dayMs)
  const events: Event[] = []
  let NextToken: string | undefined
  for (let page = 1; page <= pagesMax; page += 1) {
    const asked = { StartTime, MaxResults: 50, ...(NextToken !== undefined && { NextToken }) }
    const answer: LookupEventsCommandOutput = await aws.run(CloudTrailClient, region, (trail) =>
      trail.send(new LookupEventsCommand(asked)),
    )
    events.push(...(answer.Events ?? []))
    ;({ NextToken } = answer)
    if (NextToken === undefined) break
    if (page < pagesMax) await new Promise((resolve) => setTimeout(resolve, pageMs))
  }
  const refused = events.filter((event) => recordOf(event).errorCode === 'AccessDenied')
  const since = NextToken === undefined ? undefined : events.at(-1)?.EventTime
  return { refused, calls: events.length, since }
}

export function Refusals(): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked('refusals', () => lookForRefusals(aws, region))
  return (
    <Panel title={overviewText.refusals}>
      <div className="two-lines">
        {asked.state === 'loading' && overviewText.looking}
        {asked.state === 'failed' && (
          <Failed error={asked.error} title={overviewText.failed} again={again} />
        )}
        {asked.state === 'here' && <Found found={asked.value} />}
      </div>
    </Panel>
  )
}

function Found({ found: { refused, calls, since } }: { readonly found: LookedAt }): ReactNode {
  const { region } = useConsole()
  const rest = refused.length - shownMax
  return (
    <SpaceBetween size="xs">
      <Box color="text-body-secondary">
        {since === undefined ? (
          overviewText.ofDay(calls)
        ) : (
          <>
            {overviewText.ofLatest(calls)} <Moment at={since} />
          </>
        )}
      </Box>
      {refused.length === 0 && overviewText.noRefusals}
      {refused.slice(0, shownMax).map((event) => {
        const { principal = '', requestId = '' } = recordOf(event)
        return (
          <div className="text" key={event.EventId}>
            <Link href={hrefOf(region, ['why'], { request: requestId })}>{event.EventName}</Link>{' '}
            {principal} <Moment at={event.EventTime} />
          </div>
        )
      })}
      {rest > 0 && <div>{overviewText.moreRefusals(rest)}</div>}
      {(rest > 0 || since !== undefined) && (
        <Link href={hrefOf(region, ['activity'], { refused: '' })}>{overviewText.allRefusals}</Link>
      )}
    </SpaceBetween>
  )
}
