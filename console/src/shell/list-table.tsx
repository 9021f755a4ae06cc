/** A table of a short list: to find items, to page through them, and to choose from them. @module */
import { useCollection } from '@cloudscape-design/collection-hooks'
import Header from '@cloudscape-design/components/header'
import Pagination from '@cloudscape-design/components/pagination'
import Table, { type TableProps } from '@cloudscape-design/components/table'
import TextFilter from '@cloudscape-design/components/text-filter'
import type { ReactNode } from 'react'
import { text } from '../text/text.ts'

/** Makes rows selectable. */
export interface Choosing<T> {
  readonly type: 'single' | 'multi'
  readonly chosen: readonly T[]
  readonly onChange: (chosen: readonly T[]) => void
  /** Tells rows apart for a screen reader. */
  readonly nameOf: (item: T) => string
}

interface Props<T> extends Pick<TableProps<T>, 'footer' | 'resizableColumns' | 'wrapLines'> {
  readonly title: string
  readonly hint?: string
  readonly actions?: ReactNode
  /** `embedded` has no header: the title is only its name. */
  readonly variant?: 'container' | 'embedded' | 'full-page'
  readonly heading?: 'h2'
  readonly items: readonly T[]
  readonly loading?: boolean
  readonly trackBy: keyof T & string
  readonly columns: readonly TableProps.ColumnDefinition<T>[]
  readonly empty: ReactNode
  readonly filter?: { readonly label: string; readonly textOf: (item: T) => string }
  /** All items are on one page by default. */
  readonly pageSize?: number
  readonly choosing?: Choosing<T> | false
}

export function ListTable<T>(props: Props<T>): ReactNode {
  const { title, variant = 'container', empty, filter, pageSize, choosing, loading = false } = props
  const { items, filterProps, paginationProps, collectionProps } = useCollection(props.items, {
    filtering: {
      empty,
      noMatch: text.noMatch,
      filteringFunction: (item, wanted) =>
        filter?.textOf(item).toLowerCase().includes(wanted.toLowerCase()) ?? true,
    },
    sorting: {},
    ...(pageSize !== undefined && { pagination: { pageSize } }),
  })
  return (
    <Table<T>
      {...collectionProps}
      variant={variant}
      items={items}
      trackBy={props.trackBy}
      columnDefinitions={props.columns}
      loading={loading}
      loadingText={text.loading}
      resizableColumns={props.resizableColumns === true}
      wrapLines={props.wrapLines === true}
      ariaLabels={{
        tableLabel: title,
        selectionGroupLabel: title,
        allItemsSelectionLabel: () => title,
        itemSelectionLabel: (_, item) => (choosing ? choosing.nameOf(item) : title),
      }}
      {...(choosing && {
        selectionType: choosing.type,
        selectedItems: choosing.chosen,
        onSelectionChange: ({ detail }) => choosing.onChange(detail.selectedItems),
      })}
      header={variant === 'embedded' ? undefined : <TableHeader {...props} />}
      filter={
        filter && (
          <TextFilter
            {...filterProps}
            filteringPlaceholder={filter.label}
            filteringAriaLabel={`${title}: ${filter.label}`}
          />
        )
      }
      pagination={pageSize !== undefined && <Pagination {...paginationProps} />}
      footer={props.footer}
    />
  )
}

function TableHeader<T>({ title, hint, actions, variant, heading, items }: Props<T>): ReactNode {
  return (
    <Header
      {...(variant === 'full-page' && { variant: 'awsui-h1-sticky' as const })}
      {...(heading && { variant: heading })}
      counter={`(${items.length})`}
      description={hint}
      actions={actions}
    >
      {title}
    </Header>
  )
}
