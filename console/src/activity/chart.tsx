/** A small chart of recorded calls by time. @module */
import type { Event } from '@aws-sdk/client-cloudtrail'
import BarChart from '@cloudscape-design/components/bar-chart'
import type { ReactNode } from 'react'
import { Panel } from '../shell/panel.tsx'
import { activityText } from '../text/activity.ts'
import { text } from '../text/text.ts'
import { barsOf } from './events.ts'

export function Chart({
  events,
  title = activityText.chart,
  loading = false,
}: {
  readonly events: readonly Event[]
  readonly title?: string
  readonly loading?: boolean
}): ReactNode {
  // The chart has its place from the beginning: what is below it does not move when its calls are there.
  return (
    <Panel title={title}>
      <div className="chart">
        <BarChart
          height={140}
          hideFilter
          hideLegend
          xScaleType="categorical"
          series={[{ title: activityText.calls, type: 'bar', data: [...barsOf(events)] }]}
          statusType={loading ? 'loading' : 'finished'}
          loadingText={text.loading}
          ariaLabel={title}
          empty={activityText.chartEmpty}
          xTitle={activityText.columns.at}
          yTitle={activityText.calls}
        />
      </div>
    </Panel>
  )
}
