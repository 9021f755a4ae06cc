/** Successful cryptographic operations with a key by hour, as CloudWatch counts them. @module */
import BarChart from '@cloudscape-design/components/bar-chart'
import type { ReactNode } from 'react'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { Panel } from '../shell/panel.tsx'
import { keyText } from '../text/key.ts'
import { type Counted, requestsOf } from './request-counts.ts'

const words = keyText.usage
export function Requests({ arn }: { readonly arn: string }): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked(`requests ${arn}`, () => requestsOf(aws, region, arn))
  return (
    <Panel title={words.requests} hint={words.requestsHint}>
      {asked.state === 'failed' && (
        <Failed error={asked.error} title={words.requestsFailed} again={again} />
      )}
      {asked.state === 'here' &&
        (asked.value.operations.size === 0 ? words.noRequests : <Bars counted={asked.value} />)}
    </Panel>
  )
}

function Bars({ counted: { from, operations } }: { readonly counted: Counted }): ReactNode {
  const label = new Intl.DateTimeFormat(undefined, {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  })
  const x = from.map((hour) => label.format(hour))
  return (
    <BarChart
      height={140}
      hideFilter
      stackedBars
      xScaleType="categorical"
      series={[...operations].map(([title, counts]) => ({
        title,
        type: 'bar',
        data: counts.map((y, index) => ({ x: x[index] ?? '', y })),
      }))}
      ariaLabel={words.requests}
      xTitle={words.hour}
      yTitle={words.requestsAxis}
    />
  )
}
