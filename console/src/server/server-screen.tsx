/** The server: its state, seal and nodes, and the quotas of the account. It changes nothing. @module */
import Alert from '@cloudscape-design/components/alert'
import Header from '@cloudscape-design/components/header'
import SpaceBetween from '@cloudscape-design/components/space-between'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import type { ReactNode } from 'react'
import { useConsole } from '../shell/context.ts'
import { RefreshButton } from '../shell/refresh-button.tsx'
import { Failed } from '../shell/failed.tsx'
import { ListTable } from '../shell/list-table.tsx'
import { Moment } from '../shell/moment.tsx'
import { Pairs } from '../shell/pairs.tsx'
import { Panel } from '../shell/panel.tsx'
import { Loading } from '../shell/screen.tsx'
import { serverText as words } from '../text/server.ts'
import { type Deployment, isServing, type ShownNode } from './deployment.ts'
import { Quotas, useQuotas } from './quotas.tsx'
import { ReadinessState } from './readiness-state.tsx'
import { UnsealHint } from './unseal-hint.tsx'
import { useServer } from './use-server.ts'

export function ServerScreen(): ReactNode {
  const { settings } = useConsole()
  const { readiness, asked, deployment, refresh } = useServer()
  const quotas = useQuotas()
  // Parts that came one by one would move those below them.
  const isLoading = [readiness, asked, quotas.asked].some(({ state }) => state === 'loading')
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={words.hint} actions={<RefreshButton onClick={refresh} />}>
        {words.title}
      </Header>
      {isLoading && <Loading />}
      {!isLoading && (
        <SpaceBetween size="l">
          <Panel title={words.status}>
            <Pairs
              items={[
                { label: words.state, value: <ReadinessState asked={readiness} /> },
                { label: words.version, value: deployment?.version ?? settings.version },
                ...(deployment === undefined
                  ? []
                  : [
                      {
                        label: words.started,
                        value: <Moment at={new Date(deployment.startedAt)} />,
                      },
                      { label: words.clock, value: <Clock {...deployment.clock} /> },
                    ]),
              ]}
            />
          </Panel>
          {asked.state === 'failed' && (
            <Failed error={asked.error} title={words.failed} again={refresh} />
          )}
          {asked.state === 'here' && deployment === undefined && (
            <Alert type="info">{words.notYours}</Alert>
          )}
          {deployment !== undefined && <Seal {...deployment.seal} />}
          {deployment !== undefined && <Nodes nodes={deployment.nodes} />}
          <Quotas {...quotas} />
        </SpaceBetween>
      )}
    </SpaceBetween>
  )
}

function Clock({ now, held }: Deployment['clock']): ReactNode {
  return (
    <>
      <Moment at={new Date(now)} />
      {held !== undefined && (
        <StatusIndicator type="warning">
          {words.held}: {held}
        </StatusIndicator>
      )}
    </>
  )
}

function Seal({ kind, generation, opensAlone, recovery }: Deployment['seal']): ReactNode {
  return (
    <Panel title={words.seal}>
      <SpaceBetween size="m">
        <Pairs
          items={[
            { label: words.kind, value: kind },
            { label: words.generation, value: words.generationOf(generation) },
            { label: words.opens, value: opensAlone ? words.opensAlone : words.opensByPeople },
            { label: words.recovery, value: recovery ? words.hasRecovery : words.noRecovery },
          ]}
        />
        {!opensAlone && <UnsealHint />}
      </SpaceBetween>
    </Panel>
  )
}

function Nodes({ nodes }: { readonly nodes: readonly ShownNode[] }): ReactNode {
  return (
    <ListTable<ShownNode>
      title={words.nodes}
      heading="h2"
      items={nodes}
      trackBy="nodeId"
      empty={words.oneNode}
      columns={[
        {
          id: 'name',
          header: words.node,
          cell: ({ name, self }) => (self ? `${name} (${words.self})` : name),
          isRowHeader: true,
        },
        {
          id: 'state',
          header: words.nodeState,
          cell: (node) => (
            <StatusIndicator type={isServing(node) ? 'success' : 'stopped'}>
              {node.state === 'serving' && !isServing(node) ? words.nodeSilent : node.state}
            </StatusIndicator>
          ),
        },
        { id: 'id', header: words.id, cell: ({ nodeId }) => nodeId },
        {
          id: 'confirmed',
          header: words.confirmed,
          cell: ({ lastConfirmed }) => <Moment at={new Date(lastConfirmed)} />,
        },
        {
          id: 'silent',
          header: words.silent,
          cell: ({ silentSeconds }) => words.seconds(silentSeconds),
        },
        {
          id: 'offset',
          header: words.offset,
          cell: ({ clockOffset }) => words.milliseconds(clockOffset),
        },
      ]}
    />
  )
}
