/** Preferences of a table of keys: page size, columns, line wrapping. @module */
import CollectionPreferences from '@cloudscape-design/components/collection-preferences'
import type { ReactNode } from 'react'
import { keysText } from '../text/keys.ts'
import { text } from '../text/text.ts'
import { type ColumnId, columnIds } from './key-columns.tsx'

export interface TablePreferences {
  readonly pageSize: number
  readonly columns: readonly ColumnId[]
  readonly wrapLines: boolean
}

const words = keysText.preferences

export function KeyPreferences({
  value,
  onChange,
}: {
  readonly value: TablePreferences
  readonly onChange: (value: TablePreferences) => void
}): ReactNode {
  return (
    <CollectionPreferences
      title={words.title}
      confirmLabel={words.confirm}
      cancelLabel={text.cancel}
      preferences={{
        pageSize: value.pageSize,
        visibleContent: value.columns,
        wrapLines: value.wrapLines,
      }}
      pageSizePreference={{
        title: words.pageSize,
        options: [20, 50, 100].map((size) => ({ value: size, label: words.keys(size) })),
      }}
      wrapLinesPreference={{ label: words.wrap, description: words.wrapHint }}
      visibleContentPreference={{
        title: words.columns,
        options: [
          {
            label: words.columns,
            options: columnIds.map((id) => ({
              id,
              label: keysText.columns[id],
              editable: id !== 'aliases' && id !== 'id',
            })),
          },
        ],
      }}
      onConfirm={({ detail }) => {
        const chosen = new Set(detail.visibleContent)
        onChange({
          pageSize: detail.pageSize ?? value.pageSize,
          columns: columnIds.filter((id) => chosen.has(id)),
          wrapLines: detail.wrapLines ?? false,
        })
      }}
    />
  )
}
