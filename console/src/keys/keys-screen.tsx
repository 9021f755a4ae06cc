/** The table of customer managed keys. @module */
import Alert from '@cloudscape-design/components/alert'
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Header from '@cloudscape-design/components/header'
import Pagination from '@cloudscape-design/components/pagination'
import PropertyFilter, {
  type PropertyFilterProps,
} from '@cloudscape-design/components/property-filter'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Table, { type TableProps } from '@cloudscape-design/components/table'
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { failureOf } from '../aws/failure.ts'
import { useConsole } from '../shell/context.ts'
import { RefreshButton } from '../shell/refresh-button.tsx'
import { Failed } from '../shell/failed.tsx'
import { goTo, hrefOf, replacePlace } from '../shell/router.ts'
import type { ScreenProps } from '../shell/screens.ts'
import { keysText } from '../text/keys.ts'
import { KeyActions } from './key-actions.tsx'
import { aliasText, columnsOf, firstColumns } from './key-columns.tsx'
import { filteringOptions, filteringProperties, passes } from './key-filter.ts'
import { isAwsManaged, type KeyRow } from './key-list.ts'
import { useKeyList } from './use-key-list.ts'
import { KeyPreferences, type TablePreferences } from './key-preferences.tsx'

type Query = PropertyFilterProps.Query
type Path = 'keys' | 'aws-keys'
const emptyQuery: Query = { tokens: [], operation: 'and' }

/** The keys of AWS's services that Trent serves: to look at. */
export function AwsKeysScreen({ place }: ScreenProps): ReactNode {
  return <KeyTable place={place} path="aws-keys" />
}

export function KeysScreen({ place }: ScreenProps): ReactNode {
  return <KeyTable place={place} path="keys" />
}

function KeyTable({ place, path }: ScreenProps & { readonly path: Path }): ReactNode {
  const isAws = path === 'aws-keys'
  const title = isAws ? keysText.awsTitle : keysText.title
  const { region } = useConsole()
  const [list, state, reload] = useKeyList()
  const filter = place.query.get('filter')
  const query = useMemo(() => readQuery(filter), [filter])
  const [sorting, setSorting] = useState<TableProps.SortingState<KeyRow>>()
  const [page, setPage] = useState(1)
  const [selected, setSelected] = useState<readonly KeyRow[]>([])
  const [preferences, setPreferences] = useState<TablePreferences>({
    pageSize: 20,
    columns: firstColumns,
    wrapLines: false,
  })
  const rows = useMemo(
    () => state.rows.filter((row) => isAwsManaged(row) === isAws),
    [state.rows, isAws],
  )
  const found = useMemo(() => {
    const passing = query.tokens.length === 0 ? rows : rows.filter((row) => passes(row, query))
    const compare = sorting?.sortingColumn.sortingComparator
    if (compare === undefined) return passing
    const sorted = passing.toSorted(compare)
    return sorting?.isDescending === true ? sorted.toReversed() : sorted
  }, [rows, query, sorting])
  const pages = Math.max(1, Math.ceil(found.length / preferences.pageSize))
  const current = Math.min(page, pages)
  const shown = found.slice((current - 1) * preferences.pageSize, current * preferences.pageSize)
  const shownIds = shown.map(({ id }) => id).join(' ')
  useEffect(() => list.show(shownIds.split(' ')), [list, shownIds])
  const chosen = useMemo(() => {
    const ids = new Set(selected.map(({ id }) => id))
    return rows.filter(({ id }) => ids.has(id))
  }, [rows, selected])
  const columns = useMemo(() => columnsOf(region, path), [region, path])
  const search = (next: Query): void => {
    setPage(1)
    const wanted = next.tokens.length === 0 ? {} : { filter: JSON.stringify(next) }
    replacePlace(hrefOf(region, [path], wanted))
  }
  return (
    <SpaceBetween size="m">
      <Failed error={state.error} title={keysText.failed} again={reload} />
      {state.tagsError !== undefined && (
        <Alert type="info" header={keysText.tagsFailed} dismissible>
          {failureOf(state.tagsError).message}
        </Alert>
      )}
      <Table<KeyRow>
        variant="full-page"
        stickyHeader
        resizableColumns
        wrapLines={preferences.wrapLines}
        trackBy="id"
        items={shown}
        loading={!state.listed}
        loadingText={keysText.loading}
        {...(!isAws && { selectionType: 'multi' as const })}
        selectedItems={chosen}
        onSelectionChange={({ detail }) => setSelected(detail.selectedItems)}
        columnDefinitions={columns}
        columnDisplay={columns.map(({ id = '' }) => ({
          id,
          visible: preferences.columns.some((each) => each === id),
        }))}
        {...(sorting && {
          sortingColumn: sorting.sortingColumn,
          sortingDescending: sorting.isDescending === true,
        })}
        onSortingChange={({ detail }) => setSorting(detail)}
        ariaLabels={{
          selectionGroupLabel: keysText.select,
          allItemsSelectionLabel: () => keysText.select,
          itemSelectionLabel: (_, row) => keysText.selectRow(nameOf(row)),
          tableLabel: title,
        }}
        empty={
          <Empty
            isAws={isAws}
            isFiltered={query.tokens.length > 0}
            clear={() => search(emptyQuery)}
          />
        }
        header={
          <Header
            variant="awsui-h1-sticky"
            counter={state.listed ? `(${countText(found.length, rows.length)})` : ''}
            description={descriptionOf(state.listed, rows, isAws)}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <RefreshButton onClick={reload} />
                {/* No fragment: SpaceBetween would take its parts for one, without space between. */}
                {!isAws && (
                  <KeyActions keys={chosen} changed={(ids) => ids.forEach(list.refresh)} />
                )}
                {!isAws && (
                  <Button
                    variant="primary"
                    href={hrefOf(region, ['create-key'])}
                    onFollow={(event) => {
                      event.preventDefault()
                      goTo(hrefOf(region, ['create-key']))
                    }}
                  >
                    {keysText.create}
                  </Button>
                )}
              </SpaceBetween>
            }
          >
            {title}
          </Header>
        }
        filter={<KeyFilter rows={rows} query={query} onChange={search} found={found.length} />}
        pagination={
          <Pagination
            currentPageIndex={current}
            pagesCount={pages}
            onChange={({ detail }) => setPage(detail.currentPageIndex)}
          />
        }
        preferences={<KeyPreferences value={preferences} onChange={setPreferences} />}
      />
    </SpaceBetween>
  )
}

function KeyFilter(props: {
  readonly rows: readonly KeyRow[]
  readonly query: Query
  readonly onChange: (query: Query) => void
  readonly found: number
}): ReactNode {
  const { rows, query, onChange, found } = props
  const [typed, setTyped] = useState<PropertyFilterProps.LoadItemsDetail>()
  const properties = useMemo(() => filteringProperties(rows), [rows])
  const options = useMemo(
    () =>
      typed === undefined
        ? []
        : filteringOptions(rows, typed.filteringProperty?.key, typed.filteringText),
    [rows, typed],
  )
  return (
    <PropertyFilter
      query={query}
      onChange={({ detail }) => onChange({ tokens: detail.tokens, operation: detail.operation })}
      filteringProperties={properties}
      filteringOptions={options}
      onLoadItems={({ detail }) => setTyped(detail)}
      filteringPlaceholder={keysText.filter}
      filteringAriaLabel={keysText.filter}
      countText={keysText.matches(found)}
    />
  )
}

function Empty({
  isAws,
  isFiltered,
  clear,
}: {
  readonly isAws: boolean
  readonly isFiltered: boolean
  readonly clear: () => void
}): ReactNode {
  const { region } = useConsole()
  return (
    <Box textAlign="center" padding="l">
      <SpaceBetween size="s">
        <b>{isFiltered ? keysText.noMatch : keysText.empty}</b>
        <span>
          {isFiltered ? keysText.noMatchHint : isAws ? keysText.awsEmptyHint : keysText.emptyHint}
        </span>
        {isFiltered ? (
          <Button onClick={clear}>{keysText.clear}</Button>
        ) : isAws ? null : (
          <Button href={hrefOf(region, ['create-key'])}>{keysText.create}</Button>
        )}
      </SpaceBetween>
    </Box>
  )
}

function readQuery(filter: string | null): Query {
  if (filter === null) return emptyQuery
  try {
    const { tokens, operation } = JSON.parse(filter) as Partial<Query> // of a link; checked below
    const isToken = ({ operator, value }: PropertyFilterProps.Token): boolean =>
      typeof operator === 'string' && typeof value === 'string'
    if (!Array.isArray(tokens) || !tokens.every(isToken)) return emptyQuery
    return { tokens, operation: operation === 'or' ? 'or' : 'and' }
  } catch {
    return emptyQuery
  }
}

function nameOf(row: KeyRow): string {
  return row.aliases.length === 0 ? row.id : aliasText(row)
}

function countText(found: number, all: number): string {
  return found === all ? all.toLocaleString() : `${found.toLocaleString()}/${all.toLocaleString()}`
}

/** There is always one line: a table that moves while it is described would make people miss its rows. */
function descriptionOf(listed: boolean, rows: readonly KeyRow[], isAws: boolean): string {
  const described = rows.filter(({ metadata, hidden }) => metadata !== undefined || hidden).length
  if (listed && described < rows.length) return keysText.describing(described, rows.length)
  return isAws ? keysText.awsHint : keysText.hint
}
