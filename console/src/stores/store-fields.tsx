/** The fields of a custom key store, for the dialogs that create and edit one. @module */
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import RadioGroup from '@cloudscape-design/components/radio-group'
import { type ReactNode, useState } from 'react'
import { FileField } from '../shell/file-field.tsx'
import { storesText } from '../text/stores.ts'
import { type ProxyFile, readProxyFile } from './proxy-file.ts'

export type StoreFields = Readonly<Record<keyof typeof storesText.fields, string>>
export type Connectivity = keyof typeof storesText.connectivities

const secrets: ReadonlySet<keyof StoreFields> = new Set(['secret', 'password'])

export function StoreField(props: {
  readonly name: keyof StoreFields
  readonly value: string
  readonly hint?: string
  readonly disabled?: boolean
  readonly onChange: (value: string) => void
}): ReactNode {
  const { name, value, hint, disabled = false, onChange } = props
  return (
    <FormField label={storesText.fields[name]} description={hint}>
      <Input
        type={secrets.has(name) ? 'password' : 'text'}
        value={value}
        disabled={disabled}
        autoComplete="off"
        onChange={({ detail }) => onChange(detail.value)}
      />
    </FormField>
  )
}

export function ConnectivityField(props: {
  readonly value: Connectivity
  readonly hint?: string
  readonly disabled?: boolean
  readonly onChange: (value: Connectivity) => void
}): ReactNode {
  const { value, hint, disabled = false, onChange } = props
  return (
    <FormField label={storesText.connectivity} description={hint}>
      <RadioGroup
        value={value}
        onChange={({ detail }) => onChange(detail.value as Connectivity)} // an item below
        items={(['PUBLIC_ENDPOINT', 'VPC_ENDPOINT_SERVICE'] as const).map((each) => ({
          value: each,
          label: storesText.connectivities[each],
          disabled,
        }))}
      />
    </FormField>
  )
}

export function ProxyFileField({ fill }: { readonly fill: (file: ProxyFile) => void }): ReactNode {
  return (
    <TextFile
      label={storesText.file}
      hint={storesText.fileHint}
      wrong={storesText.badFile}
      accept="application/json"
      read={async (file) => fill(await readProxyFile(file))}
    />
  )
}

/** A field for a file that fills other fields. */
export function TextFile(props: {
  readonly label: string
  readonly hint: string
  /** What is said of a file that `read` refuses. */
  readonly wrong: string
  readonly accept?: string
  readonly read: (file: File) => Promise<void>
  readonly forget?: () => void
}): ReactNode {
  const { label, hint, wrong, accept, read, forget } = props
  const [files, setFiles] = useState<readonly File[]>([])
  const [isBad, setBad] = useState(false)
  const choose = (chosen: readonly File[]): void => {
    setFiles(chosen)
    setBad(false)
    forget?.()
    const [file] = chosen
    if (file !== undefined) read(file).catch(() => setBad(true))
  }
  return (
    <FileField
      label={label}
      hint={hint}
      error={isBad ? wrong : ''}
      {...(accept !== undefined && { accept })}
      files={files}
      onChange={choose}
    />
  )
}
