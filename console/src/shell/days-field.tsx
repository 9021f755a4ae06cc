/** A field for a number of days. @module */
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import type { ReactNode } from 'react'

export function DaysField(props: {
  readonly label: string
  readonly hint: string
  /** Why the number cannot be used; empty if it can. */
  readonly error: string
  readonly value: string
  readonly onChange: (value: string) => void
}): ReactNode {
  const { label, hint, error, value, onChange } = props
  return (
    <FormField label={label} description={hint} errorText={error}>
      <Input value={value} inputMode="numeric" onChange={({ detail }) => onChange(detail.value)} />
    </FormField>
  )
}
