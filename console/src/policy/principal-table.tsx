/** A table of users and roles to choose from. @module */
import Pagination from '@cloudscape-design/components/pagination'
import Table from '@cloudscape-design/components/table'
import TextFilter from '@cloudscape-design/components/text-filter'
import { useCollection } from '@cloudscape-design/collection-hooks'
import type { ReactNode } from 'react'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { policyText } from '../text/policy.ts'
import { listPrincipals, type Principal } from './principals.ts'

const words = policyText.principals

export function PrincipalTable({
  label,
  chosen,
  onChange,
  exclude = [],
}: {
  readonly label: string
  /** ARNs. */
  readonly chosen: readonly string[]
  readonly onChange: (chosen: readonly string[]) => void
  /** ARNs that are not offered. */
  readonly exclude?: readonly string[]
}): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked('principals', () => listPrincipals(aws, region))
  const all = asked.state === 'here' ? asked.value : []
  const offered = all.filter(({ arn }) => !exclude.includes(arn))
  const { items, filterProps, paginationProps, collectionProps } = useCollection(offered, {
    filtering: { empty: words.empty, noMatch: words.noMatch },
    pagination: { pageSize: 10 },
    sorting: {},
  })
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={words.failed} again={again} />
  }
  const known = new Map(all.map((principal) => [principal.arn, principal]))
  const selected = chosen.flatMap((arn) => known.get(arn) ?? [])
  // What the table does not know, for example a principal of another account, stays chosen.
  const unknown = chosen.filter((arn) => !known.has(arn))
  return (
    <Table<Principal>
      {...collectionProps}
      variant="embedded"
      items={items}
      trackBy="arn"
      loading={asked.state === 'loading'}
      loadingText={words.loading}
      selectionType="multi"
      selectedItems={selected}
      onSelectionChange={({ detail }) =>
        onChange([...unknown, ...detail.selectedItems.map(({ arn }) => arn)])
      }
      ariaLabels={{
        tableLabel: label,
        selectionGroupLabel: label,
        allItemsSelectionLabel: () => label,
        itemSelectionLabel: (_, { name }) => name,
      }}
      columnDefinitions={[
        {
          id: 'name',
          header: words.name,
          cell: ({ name }) => name,
          sortingField: 'name',
          isRowHeader: true,
        },
        { id: 'path', header: words.path, cell: ({ path }) => path, sortingField: 'path' },
        {
          id: 'type',
          header: words.type,
          cell: ({ type }) => words[type],
          sortingField: 'type',
        },
      ]}
      filter={
        <TextFilter
          {...filterProps}
          filteringPlaceholder={words.find}
          filteringAriaLabel={`${label}: ${words.find}`}
        />
      }
      pagination={<Pagination {...paginationProps} />}
    />
  )
}
