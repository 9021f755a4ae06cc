/** A small chart of recorded calls by time. @module */
import type { Event } from '@aws-sdk/client-cloudtrail'
import BarChart from '@cloudscape-design/components/bar-chart'
import type { ReactNode } from 'react'
import { Panel } from '../shell/panel.tsx'
import { activityText } from '../text/activity.ts'
import { barsOf } from './events.ts'

export function Chart({
  events,
  title = activityText.chart,
}: {
  readonly events: readonly Event[]
  readonly title?: string
}): ReactNode {
  const bars = barsOf(events)
  if (bars.length === 0) return null
  return (
    <Panel title={title}>
      <BarChart
        height={140}
        hideFilter
        hideLegend
        xScaleType="categorical"
        series={[{ title: activityText.calls, type: 'bar', data: [...bars] }]}
        ariaLabel={title}
        empty={activityText.chartEmpty}
        xTitle={activityText.columns.at}
        yTitle={activityText.calls}
      />
    </Panel>
  )
}
