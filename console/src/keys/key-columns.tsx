/** The columns of a table of keys. @module */
import Link from '@cloudscape-design/components/link'
import type { TableProps } from '@cloudscape-design/components/table'
import type { ReactNode } from 'react'
import { Moment } from '../shell/moment.tsx'
import { hrefOf } from '../shell/router.ts'
import { keysText } from '../text/keys.ts'
import { text } from '../text/text.ts'
import type { KeyRow } from './key-list.ts'
import { KeyState } from './key-state.tsx'
import { regionalityOf, stateWord, typeOf, usageWord } from './key-words.ts'

const { columns } = keysText

/** The first alias without `alias/`, and how many more there are. */
export function aliasText({ aliases }: KeyRow): string {
  const [first, ...more] = aliases.map((name) => name.replace(/^alias\//, ''))
  if (first === undefined) return text.none
  return more.length === 0 ? first : first + keysText.more(more.length)
}

/** The text of a column, for filters and sorting. */
export function cellText(row: KeyRow, column: string): string {
  const { metadata, tags } = row
  if (column === 'aliases') return row.aliases.join(' ')
  if (column === 'id') return row.id
  if (column === 'tags') return tags.map(([key, value]) => `${key}=${value}`).join(', ')
  if (metadata === undefined) return ''
  switch (column) {
    case 'state':
      return stateWord(metadata.KeyState)
    case 'created':
      return String(metadata.CreationDate?.getTime() ?? 0).padStart(15, '0')
    case 'type':
      return keysText.types[typeOf(metadata.KeySpec)]
    case 'spec':
      return metadata.KeySpec ?? ''
    case 'usage':
      return usageWord(metadata.KeyUsage)
    case 'origin':
      return metadata.Origin ?? ''
    case 'expires':
      return String(metadata.ValidTo?.getTime() ?? '')
    case 'deletion':
      return String(metadata.DeletionDate?.getTime() ?? '')
    case 'store':
      return metadata.CustomKeyStoreId ?? ''
    case 'regionality':
      return keysText.regionalities[regionalityOf(metadata)]
    default:
      return metadata.Description ?? ''
  }
}

function cell(row: KeyRow, column: string): ReactNode {
  const { metadata } = row
  if (metadata === undefined && column !== 'tags') return row.hidden ? text.none : '…'
  if (column === 'state') return <KeyState state={metadata?.KeyState} />
  if (column === 'created') return <Moment at={metadata?.CreationDate} />
  if (column === 'expires') return <Moment at={metadata?.ValidTo} />
  if (column === 'deletion') return <Moment at={metadata?.DeletionDate} />
  return cellText(row, column) || text.none
}

export const columnIds = [
  'aliases',
  'id',
  'state',
  'created',
  'type',
  'spec',
  'usage',
  'origin',
  'expires',
  'deletion',
  'store',
  'regionality',
  'description',
  'tags',
] as const
export type ColumnId = (typeof columnIds)[number]

/** As the guides have them. */
export const firstColumns: readonly ColumnId[] = [
  'aliases',
  'id',
  'state',
  'created',
  'type',
  'usage',
]

/** Pixels, of columns that need more than others. */
const widths: Readonly<Partial<Record<ColumnId, number>>> = {
  state: 180,
  created: 200,
  description: 200,
  tags: 200,
}

export function columnsOf(region: string, path: string): TableProps.ColumnDefinition<KeyRow>[] {
  const others = columnIds.slice(2).map((id) => ({
    id,
    header: columns[id],
    cell: (row: KeyRow) => cell(row, id),
    sortingComparator: comparing(id),
    minWidth: widths[id] ?? 140,
  }))
  const link = (row: KeyRow, shown: string): ReactNode => (
    <Link href={hrefOf(region, [path, row.id])}>{shown}</Link>
  )
  return [
    {
      id: 'aliases',
      header: columns.aliases,
      cell: (row) => (row.aliases.length === 0 ? text.none : link(row, aliasText(row))),
      sortingComparator: comparing('aliases'),
      minWidth: 180,
      isRowHeader: true,
    },
    {
      id: 'id',
      header: columns.id,
      cell: (row) => link(row, row.id),
      sortingComparator: comparing('id'),
      minWidth: 340,
    },
    ...others,
  ]
}

function comparing(column: ColumnId): (one: KeyRow, other: KeyRow) => number {
  return (one, other) => {
    const [left, right] = [cellText(one, column), cellText(other, column)]
    return left === right ? 0 : left < right ? -1 : 1
  }
}
