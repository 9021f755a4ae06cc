/** The fields of tags, in a tab and in the wizard. @module */
import AttributeEditor from '@cloudscape-design/components/attribute-editor'
import Input from '@cloudscape-design/components/input'
import type { ReactNode } from 'react'
import { keyText } from '../text/key.ts'
import { text } from '../text/text.ts'

export interface TagEntry {
  readonly key: string
  readonly value: string
}

const words = keyText.tags
/** AWS's limits. */
const tagsMax = 50

/** A problem for each entry; empty when it has none. */
export function problemsOf(entries: readonly TagEntry[]): readonly string[] {
  return entries.map(({ key }, index) => {
    if (key === '') return words.missing
    if (key.toLowerCase().startsWith('aws:')) return words.reserved
    const isTwice = entries.some((other, at) => at !== index && other.key === key)
    return isTwice ? words.duplicate : ''
  })
}

export function TagFields(props: {
  readonly entries: readonly TagEntry[]
  readonly onChange: (entries: readonly TagEntry[]) => void
  readonly readOnly?: boolean
}): ReactNode {
  const { entries, onChange, readOnly = false } = props
  const problems = problemsOf(entries)
  const set = (index: number, change: Partial<TagEntry>): void =>
    onChange(entries.map((entry, at) => (at === index ? { ...entry, ...change } : entry)))
  return (
    <AttributeEditor<TagEntry>
      items={entries}
      empty={words.empty}
      addButtonText={words.addTag}
      removeButtonText={text.remove}
      removeButtonAriaLabel={(entry) => `${text.remove} ${entry.key}`}
      disableAddButton={readOnly || entries.length >= tagsMax}
      isItemRemovable={() => !readOnly}
      onAddButtonClick={() => onChange([...entries, { key: '', value: '' }])}
      onRemoveButtonClick={({ detail }) =>
        onChange(entries.filter((_, index) => index !== detail.itemIndex))
      }
      definition={[
        {
          label: words.key,
          control: ({ key }, index) => (
            <Input
              value={key}
              readOnly={readOnly}
              ariaLabel={`${words.key} ${index + 1}`}
              onChange={({ detail }) => set(index, { key: detail.value })}
            />
          ),
          errorText: (_, index) => problems[index] ?? '',
        },
        {
          label: words.value,
          control: ({ value }, index) => (
            <Input
              value={value}
              readOnly={readOnly}
              ariaLabel={`${words.value} ${index + 1}`}
              onChange={({ detail }) => set(index, { value: detail.value })}
            />
          ),
        },
      ]}
    />
  )
}
