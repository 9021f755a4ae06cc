/** Overview: keys by state, expiring material, unused keys, refusals, and the health of the server. @module */
import { GetKeyLastUsageCommand, KMSClient } from '@aws-sdk/client-kms'
import Button from '@cloudscape-design/components/button'
import ColumnLayout from '@cloudscape-design/components/column-layout'
import Header from '@cloudscape-design/components/header'
import Link from '@cloudscape-design/components/link'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useState } from 'react'
import { aliasText } from '../keys/key-columns.tsx'
import { isAwsManaged, type KeyRow } from '../keys/key-list.ts'
import { stateWord } from '../keys/key-words.ts'
import { useKeyList } from '../keys/use-key-list.ts'
import { useAction } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { Moment } from '../shell/moment.tsx'
import { Pairs } from '../shell/pairs.tsx'
import { Panel } from '../shell/panel.tsx'
import { hrefOf } from '../shell/router.ts'
import { overviewText } from '../text/activity.ts'
import { keysText } from '../text/keys.ts'
import { LatencyPanel, ServerHealth, Stores } from './health.tsx'
import { Refusals } from './refusals.tsx'

const dayMs = 86_400_000
const soonMs = 30 * dayMs
const idleMs = 90 * dayMs
/** Keys whose last use is read, one by one. */
const lookedMax = 500
const shownMax = 20

export function OverviewScreen(): ReactNode {
  const [, state, reload] = useKeyList()
  const rows = state.rows.filter((row) => !isAwsManaged(row))
  const now = new Date().getTime()
  const expiring = rows.filter(({ metadata }) => {
    const until = metadata?.ValidTo?.getTime()
    return until !== undefined && until > now && until < now + soonMs
  })
  const isKnown =
    state.listed && rows.every(({ metadata, hidden }) => metadata !== undefined || hidden === true)
  return (
    <SpaceBetween size="l">
      <Header variant="h1">{overviewText.title}</Header>
      <Failed error={state.error} title={overviewText.failed} again={reload} />
      <ColumnLayout columns={2}>
        <States rows={rows} listed={state.listed} />
        <ServerHealth />
        <Stores />
        <LatencyPanel />
        <Panel title={overviewText.expiring}>
          {expiring.length > 0 && <KeyLinks rows={expiring} />}
          {expiring.length === 0 && (isKnown ? overviewText.noneExpiring : keysText.loading)}
        </Panel>
        <Refusals />
      </ColumnLayout>
      <Unused rows={rows} />
    </SpaceBetween>
  )
}

function States({
  rows,
  listed,
}: {
  readonly rows: readonly KeyRow[]
  readonly listed: boolean
}): ReactNode {
  const { region } = useConsole()
  const counts = new Map<string, number>()
  for (const { metadata } of rows) {
    const name = metadata === undefined ? '…' : stateWord(metadata.KeyState)
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return (
    <Panel title={overviewText.states}>
      <div className="states">
        {!listed && keysText.loading}
        {listed && rows.length === 0 && keysText.empty}
        <Pairs
          items={[...counts].map(([name, count]) => {
            const filter = JSON.stringify({
              tokens: [{ propertyKey: 'state', operator: '=', value: name }],
              operation: 'and',
            })
            const href = hrefOf(region, ['keys'], { filter })
            const value = (
              <Link fontSize="display-l" href={href}>
                {count.toLocaleString()}
              </Link>
            )
            return { label: name, value }
          })}
        />
      </div>
    </Panel>
  )
}

function KeyLinks({ rows }: { readonly rows: readonly KeyRow[] }): ReactNode {
  const { region } = useConsole()
  return rows.slice(0, shownMax).map((row) => (
    <div key={row.id}>
      <Link href={hrefOf(region, ['keys', row.id])}>
        {row.aliases.length === 0 ? row.id : aliasText(row)}
      </Link>{' '}
      <Moment at={row.metadata?.ValidTo ?? row.metadata?.CreationDate} />
    </div>
  ))
}

function Unused({ rows }: { readonly rows: readonly KeyRow[] }): ReactNode {
  const { aws, region } = useConsole()
  const [looked, setLooked] = useState(0)
  const [unused, setUnused] = useState<readonly KeyRow[]>([])
  const all = rows.slice(0, lookedMax)
  const { run, running, error } = useAction(async () => {
    setUnused([])
    const limit = new Date().getTime() - idleMs
    for (const [index, row] of all.entries()) {
      const { KeyLastUsage, TrackingStartDate } = await aws.run(KMSClient, region, (kms) =>
        kms.send(new GetKeyLastUsageCommand({ KeyId: row.id })),
      )
      const last = KeyLastUsage?.Timestamp ?? TrackingStartDate
      if (last !== undefined && last.getTime() < limit) setUnused((now) => [...now, row])
      setLooked(index + 1)
    }
  })
  return (
    <Panel
      title={overviewText.unused}
      hint={overviewText.unusedHint}
      actions={
        <Button loading={running} disabled={all.length === 0} onClick={run}>
          {overviewText.look}
        </Button>
      }
    >
      <SpaceBetween size="s">
        <Failed error={error} title={overviewText.failed} />
        {looked > 0 && overviewText.looked(looked, rows.length)}
        {looked > 0 && !running && unused.length === 0 && <div>{overviewText.noneUnused}</div>}
        <KeyLinks rows={unused} />
      </SpaceBetween>
    </Panel>
  )
}
