/** Health on the overview: the server, its seal and nodes, custom key stores, and latency. @module */
import {
  type ConnectionStateType,
  DescribeCustomKeyStoresCommand,
  KMSClient,
} from '@aws-sdk/client-kms'
import Box from '@cloudscape-design/components/box'
import Link from '@cloudscape-design/components/link'
import type { ReactNode } from 'react'
import { latency } from '../aws/latency.ts'
import { isServing } from '../server/deployment.ts'
import { ReadinessState } from '../server/readiness-state.tsx'
import { useServer } from '../server/use-server.ts'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { RefreshButton } from '../shell/refresh-button.tsx'
import { Failed } from '../shell/failed.tsx'
import { Pairs } from '../shell/pairs.tsx'
import { Panel } from '../shell/panel.tsx'
import { hrefOf } from '../shell/router.ts'
import { StoreState } from '../stores/store-state.tsx'
import { overviewText } from '../text/activity.ts'
import { serverText } from '../text/server.ts'
import { text } from '../text/text.ts'

export function ServerHealth(): ReactNode {
  const { settings } = useConsole()
  // Who may not see the deployment sees whether the server is ready.
  const { readiness, asked, deployment, refresh } = useServer()
  const { seal, nodes = [] } = deployment ?? {}
  return (
    <Panel title={overviewText.health} actions={<RefreshButton onClick={refresh} />}>
      <Pairs
        items={[
          {
            label: serverText.state,
            value: <ReadinessState asked={readiness} />,
          },
          { label: serverText.version, value: settings.version },
          ...(asked.state === 'loading' ? [{ label: overviewText.seal, value: text.loading }] : []),
          ...(seal === undefined
            ? []
            : [
                {
                  label: overviewText.seal,
                  value: overviewText.sealOf(seal.kind, seal.opensAlone),
                },
              ]),
          ...(nodes.length === 0
            ? []
            : [
                {
                  label: overviewText.nodes,
                  value: overviewText.nodesOf(nodes.filter(isServing).length, nodes.length),
                },
              ]),
        ]}
      />
    </Panel>
  )
}

export function Stores(): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked('stores', async () => {
    const { CustomKeyStores = [] } = await aws.run(KMSClient, region, (kms) =>
      kms.send(new DescribeCustomKeyStoresCommand({ Limit: 1000 })),
    )
    return CustomKeyStores
  })
  const counts = new Map<ConnectionStateType, number>()
  for (const { ConnectionState: state = 'DISCONNECTED' } of asked.state === 'here'
    ? asked.value
    : []) {
    counts.set(state, (counts.get(state) ?? 0) + 1)
  }
  return (
    <Panel title={overviewText.stores}>
      {asked.state === 'failed' && (
        <Failed error={asked.error} title={overviewText.failed} again={again} />
      )}
      {asked.state === 'loading' && text.loading}
      {asked.state === 'here' && counts.size === 0 && overviewText.noStores}
      {[...counts].map(([state, count]) => (
        <div key={state}>
          <StoreState state={state} />{' '}
          <Link href={hrefOf(region, ['stores'])}>{count.toLocaleString()}</Link>
        </div>
      ))}
    </Panel>
  )
}

export function LatencyPanel(): ReactNode {
  const measured = latency()
  if (measured === undefined) {
    return <Panel title={overviewText.latency}>{overviewText.noLatency}</Panel>
  }
  const { calls, median, most } = measured
  const shown = (milliseconds: number): ReactNode => (
    <Box fontSize="heading-l">{overviewText.milliseconds(milliseconds)}</Box>
  )
  return (
    <Panel title={overviewText.latency} hint={overviewText.latencyHint(calls)}>
      <Pairs
        items={[
          { label: overviewText.median, value: shown(median) },
          { label: overviewText.most, value: shown(most) },
        ]}
      />
    </Panel>
  )
}
