/** Activity: recorded calls with filters, and a small chart of them. @module */
import {
  CloudTrailClient,
  type Event,
  LookupEventsCommand,
  type LookupEventsCommandOutput,
} from '@aws-sdk/client-cloudtrail'
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Checkbox from '@cloudscape-design/components/checkbox'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Input from '@cloudscape-design/components/input'
import Link from '@cloudscape-design/components/link'
import Modal from '@cloudscape-design/components/modal'
import Select from '@cloudscape-design/components/select'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Table from '@cloudscape-design/components/table'
import { type ReactNode, useState } from 'react'
import { useConsole } from '../shell/context.ts'
import { RefreshButton } from '../shell/refresh-button.tsx'
import { Failed } from '../shell/failed.tsx'
import { useLinked } from '../shell/linked.ts'
import { Moment } from '../shell/moment.tsx'
import { usePages } from '../shell/pages.tsx'
import { hrefOf, replacePlace } from '../shell/router.ts'
import type { ScreenProps } from '../shell/screens.ts'
import { activityText } from '../text/activity.ts'
import { text } from '../text/text.ts'
import { Chart } from './chart.tsx'
import { recordOf } from './events.ts'

type Attribute = keyof typeof activityText.attributes

export function ActivityScreen({ place }: ScreenProps): ReactNode {
  const { aws, region } = useConsole()
  const { query } = place
  const asking = readFilter(query)
  const [filter, setFilter] = useLinked(asking, JSON.stringify(asking))
  const { attribute, value } = filter
  const onlyRefused = query.has('refused')
  const [shownEvent, setShownEvent] = useState<Event>()
  const page = (NextToken?: string): Promise<LookupEventsCommandOutput> =>
    aws.run(CloudTrailClient, region, (trail) =>
      trail.send(
        new LookupEventsCommand({
          MaxResults: 50,
          ...(NextToken !== undefined && { NextToken }),
          ...(asking.attribute !== 'all' &&
            asking.value !== '' && {
              LookupAttributes: [{ AttributeKey: asking.attribute, AttributeValue: asking.value }],
            }),
        }),
      ),
    )
  const { asked, again, pages, error, footer } = usePages(
    `events ${asking.attribute} ${asking.value}`,
    page,
    ({ NextToken }) => NextToken,
    activityText.more,
  )
  const events = pages.flatMap(({ Events = [] }) => Events)
  const shown = onlyRefused
    ? events.filter((event) => recordOf(event).errorCode !== undefined)
    : events
  const search = (refused: boolean): void =>
    replacePlace(
      hrefOf(region, ['activity'], {
        ...(attribute !== 'all' && value !== '' && { by: attribute, value }),
        ...(refused && { refused: '' }),
      }),
    )
  const options = (Object.keys(activityText.attributes) as Attribute[]).map((id) => ({
    value: id,
    label: activityText.attributes[id],
  }))
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description={activityText.hint}
        actions={<RefreshButton onClick={again} />}
      >
        {activityText.title}
      </Header>
      <Container>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            search(onlyRefused)
          }}
        >
          <SpaceBetween size="m" direction="horizontal" alignItems="end">
            <FormField label={activityText.by}>
              <Select
                options={options}
                selectedOption={options.find((option) => option.value === attribute) ?? null}
                onChange={
                  ({ detail }) =>
                    setFilter({ ...filter, attribute: detail.selectedOption.value as Attribute }) // an option above
                }
              />
            </FormField>
            {attribute !== 'all' && (
              <FormField label={activityText.value}>
                <Input
                  value={value}
                  onChange={({ detail }) => setFilter({ ...filter, value: detail.value })}
                />
              </FormField>
            )}
            <Button>{activityText.search}</Button>
            <Checkbox checked={onlyRefused} onChange={({ detail }) => search(detail.checked)}>
              {activityText.refused}
            </Checkbox>
          </SpaceBetween>
        </form>
      </Container>
      <Failed error={error} title={activityText.failed} />
      {asked.state === 'failed' && (
        <Failed error={asked.error} title={activityText.failed} again={again} />
      )}
      {asked.state !== 'failed' && <Chart events={shown} loading={asked.state === 'loading'} />}
      <Table<Event>
        items={shown}
        trackBy="EventId"
        loading={asked.state === 'loading'}
        loadingText={text.loading}
        resizableColumns
        wrapLines
        ariaLabels={{ tableLabel: activityText.title }}
        empty={activityText.empty}
        columnDefinitions={eventColumns(region, setShownEvent)}
        footer={footer}
      />
      {shownEvent !== undefined && (
        <Modal
          visible
          size="large"
          header={activityText.record}
          closeAriaLabel={text.close}
          onDismiss={() => setShownEvent(undefined)}
        >
          <Box variant="code">
            <div className="text">
              {JSON.stringify(JSON.parse(shownEvent.CloudTrailEvent ?? '{}'), null, 2)}
            </div>
          </Box>
        </Modal>
      )}
    </SpaceBetween>
  )
}

interface Filter {
  readonly attribute: Attribute
  readonly value: string
}

/** The filter that the address names. */
function readFilter(query: URLSearchParams): Filter {
  const by = query.get('by') ?? 'all'
  const known = Object.keys(activityText.attributes) as Attribute[]
  return { attribute: known.find((each) => each === by) ?? 'all', value: query.get('value') ?? '' }
}

function eventColumns(region: string, show: (event: Event) => void) {
  const { columns } = activityText
  return [
    {
      id: 'at',
      header: columns.at,
      cell: ({ EventTime }: Event) => <Moment at={EventTime} />,
      minWidth: 200,
    },
    {
      id: 'name',
      header: columns.name,
      cell: (event: Event) => (
        <Button
          variant="inline-link"
          ariaLabel={`${activityText.show}: ${event.EventName ?? ''}`}
          onClick={() => show(event)}
        >
          {event.EventName}
        </Button>
      ),
      isRowHeader: true,
      minWidth: 180,
    },
    {
      id: 'user',
      header: columns.user,
      cell: (event: Event) => recordOf(event).principal ?? text.none,
      minWidth: 260,
    },
    {
      id: 'error',
      header: columns.error,
      cell: (event: Event) => {
        const { errorCode, requestId } = recordOf(event)
        if (errorCode === undefined) return text.none
        const href = hrefOf(region, ['why'], { request: requestId ?? '' })
        return (
          <>
            <div>{errorCode}</div>
            {requestId !== undefined && <Link href={href}>{activityText.why}</Link>}
          </>
        )
      },
      minWidth: 200,
    },
    {
      id: 'source',
      header: columns.source,
      cell: (event: Event) => recordOf(event).source ?? text.none,
      minWidth: 140,
    },
    {
      id: 'resources',
      header: columns.resources,
      cell: ({ Resources = [] }: Event) =>
        Resources.map(({ ResourceName }) => ResourceName).join(', ') || text.none,
      minWidth: 260,
    },
  ]
}
