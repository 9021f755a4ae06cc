/** The quotas of the account in the Region, with their usage. @module */
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { ReactNode } from 'react'
import { type Asked, useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { ListTable } from '../shell/list-table.tsx'
import { Loading } from '../shell/screen.tsx'
import { serverText as words } from '../text/server.ts'
import { text } from '../text/text.ts'
import { type Quotas as ReadQuotas, readQuotas } from './deployment.ts'

interface AskedQuotas {
  readonly asked: Asked<ReadQuotas>
  readonly again: () => void
}

export function useQuotas(): AskedQuotas {
  const { aws, region } = useConsole()
  return useAsked(`quotas ${region}`, () => readQuotas(aws, region))
}

export function Quotas({ asked, again }: AskedQuotas): ReactNode {
  if (asked.state === 'loading') return <Loading />
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={words.quotasFailed} again={again} />
  }
  const quotas = asked.value
  const hint = words.quotasHint(quotas.profile)
  const shown = (count: number | undefined): string => count?.toLocaleString() ?? words.unlimited
  return (
    <SpaceBetween size="l">
      <ListTable
        title={words.resources}
        hint={hint}
        heading="h2"
        items={quotas.resources}
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
        items={quotas.requests}
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
