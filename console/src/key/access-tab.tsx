/** Who can use this key: every principal, with the path that gives it. @module */
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { ReactNode } from 'react'
import { reasonText, type WhoCanPage } from '../access/answers.ts'
import { askTrent } from '../aws/trent.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { ListTable } from '../shell/list-table.tsx'
import { usePages } from '../shell/pages.tsx'
import { Panel } from '../shell/panel.tsx'
import { accessText } from '../text/access.ts'
import type { KeyTabProps } from './key-screen.tsx'

export function AccessTab({ keyId }: KeyTabProps): ReactNode {
  const { aws, region } = useConsole()
  const page = async (after?: string): Promise<WhoCanPage> => {
    const asked = { key: keyId, ...(after !== undefined && { after }) }
    return (await askTrent(aws, region, '/_trent/who-can', asked)) as WhoCanPage // its type
  }
  const { asked, again, pages, error, footer } = usePages(
    `who ${keyId}`,
    page,
    ({ after }) => after,
    accessText.more,
  )
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={accessText.failed} again={again} />
  }
  const rows = pages
    .flatMap(({ access }) => access)
    .map((row, index) => ({ ...row, id: String(index) }))
  const named = pages[0]?.named ?? []
  return (
    <SpaceBetween size="m">
      <Failed error={error} title={accessText.failed} />
      <ListTable
        title={accessText.who}
        hint={accessText.whoHint}
        items={rows}
        trackBy="id"
        wrapLines
        loading={asked.state === 'loading'}
        empty={accessText.empty}
        filter={{
          label: accessText.filter,
          textOf: ({ principal, actions }) => `${principal} ${actions.join(' ')}`,
        }}
        footer={footer}
        columns={[
          {
            id: 'principal',
            header: accessText.principal,
            cell: ({ principal, bounded }) =>
              bounded ? `${principal} (${accessText.bounded})` : principal,
            isRowHeader: true,
            verticalAlign: 'top',
            minWidth: 260,
          },
          {
            id: 'actions',
            header: accessText.actions,
            cell: ({ actions }) => actions.map((name) => name.replace(/^kms:/, '')).join(', '),
            verticalAlign: 'top',
            minWidth: 260,
          },
          {
            id: 'by',
            header: accessText.by,
            cell: ({ by }) =>
              by.map((reason) => <div key={reasonText(reason)}>{reasonText(reason)}</div>),
            verticalAlign: 'top',
            minWidth: 260,
          },
        ]}
      />
      {named.length > 0 && (
        <Panel variant="h3" title={accessText.named} hint={accessText.namedHint}>
          {named.map(({ principal, by }) => (
            <div className="text" key={`${principal} ${reasonText(by)}`}>
              {principal}: {reasonText(by)}
            </div>
          ))}
        </Panel>
      )}
    </SpaceBetween>
  )
}
