/** Who can use this key: every principal, with the path that gives it. @module */
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Table from '@cloudscape-design/components/table'
import TextFilter from '@cloudscape-design/components/text-filter'
import { type ReactNode, useState } from 'react'
import { reasonText, type WhoCanPage } from '../access/answers.ts'
import { askTrent } from '../aws/trent.ts'
import { useAction, useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { accessText } from '../text/access.ts'
import { text } from '../text/text.ts'
import type { KeyTabProps } from './key-screen.tsx'

export function AccessTab({ keyId }: KeyTabProps): ReactNode {
  const { aws, region } = useConsole()
  const page = async (after?: string): Promise<WhoCanPage> => {
    const asked = { key: keyId, ...(after !== undefined && { after }) }
    return (await askTrent(aws, region, '/_trent/who-can', asked)) as WhoCanPage // its type
  }
  const { asked, again } = useAsked(`who ${keyId}`, () => page())
  const [more, setMore] = useState<readonly WhoCanPage[]>([])
  const [filter, setFilter] = useState('')
  const pages = asked.state === 'here' ? [asked.value, ...more] : []
  const after = pages.at(-1)?.after
  const { run, running, error } = useAction(async () => {
    const next = await page(after)
    setMore([...more, next])
  })
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={accessText.failed} again={again} />
  }
  const rows = pages.flatMap(({ access }) => access)
  const shown = rows
    .map((row, index) => ({ ...row, id: String(index) }))
    .filter(({ principal, actions }) => `${principal} ${actions.join(' ')}`.includes(filter))
  const named = pages[0]?.named ?? []
  return (
    <SpaceBetween size="m">
      <Failed error={error} title={accessText.failed} />
      <Table
        items={shown}
        trackBy="id"
        wrapLines
        loading={asked.state === 'loading'}
        loadingText={text.loading}
        ariaLabels={{ tableLabel: accessText.who }}
        empty={accessText.empty}
        header={
          <Header description={accessText.whoHint} counter={`(${rows.length})`}>
            {accessText.who}
          </Header>
        }
        filter={
          <TextFilter
            filteringText={filter}
            filteringPlaceholder={accessText.filter}
            filteringAriaLabel={accessText.filter}
            onChange={({ detail }) => setFilter(detail.filteringText)}
          />
        }
        footer={
          after !== undefined && (
            <Box textAlign="center">
              <Button loading={running} onClick={run}>
                {accessText.more}
              </Button>
            </Box>
          )
        }
        columnDefinitions={[
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
        <Container
          header={
            <Header variant="h3" description={accessText.namedHint}>
              {accessText.named}
            </Header>
          }
        >
          {named.map(({ principal, by }) => (
            <div className="text" key={`${principal} ${reasonText(by)}`}>
              {principal}: {reasonText(by)}
            </div>
          ))}
        </Container>
      )}
    </SpaceBetween>
  )
}
