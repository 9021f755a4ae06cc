/** The quotas of the account in the Region, with their usage. @module */
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { ReactNode } from 'react'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { ListTable } from '../shell/list-table.tsx'
import { serverText as words } from '../text/server.ts'
import { text } from '../text/text.ts'
import { readQuotas } from './deployment.ts'

export function Quotas(): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked(`quotas ${region}`, () => readQuotas(aws, region))
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={words.quotasFailed} again={again} />
  }
  const loading = asked.state === 'loading'
  const quotas = loading ? undefined : asked.value
  const hint = quotas === undefined ? '' : words.quotasHint(quotas.profile)
  const shown = (count: number | undefined): string => count?.toLocaleString() ?? words.unlimited
  return (
    <SpaceBetween size="l">
      <ListTable
        title={words.resources}
        hint={hint}
        heading="h2"
        items={quotas?.resources ?? []}
        loading={loading}
        trackBy="name"
        empty={text.none}
        columns={[
          { id: 'name', header: words.quota, cell: ({ name }) => name, isRowHeader: true },
          {
            id: 'used',
            header: words.used,
            cell: ({ used }) => used?.toLocaleString() ?? text.none,
          },
          { id: 'limit', header: words.limit, cell: ({ limit }) => shown(limit) },
        ]}
      />
      <ListTable
        title={words.requests}
        hint={hint}
        heading="h2"
        items={quotas?.requests ?? []}
        loading={loading}
        trackBy="group"
        pageSize={10}
        empty={words.noRequests}
        filter={{ label: words.find, textOf: ({ group }) => group }}
        columns={[
          { id: 'group', header: words.quota, cell: ({ group }) => group, isRowHeader: true },
          { id: 'rate', header: words.rate, cell: ({ perSecond }) => shown(perSecond) },
          {
            id: 'available',
            header: words.available,
            cell: ({ available }) =>
              available === undefined ? text.none : Math.floor(available).toLocaleString(),
          },
        ]}
      />
    </SpaceBetween>
  )
}
