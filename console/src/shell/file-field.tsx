/** A field for one file. The page reads the file; the field sends nothing. @module */
import FileUpload from '@cloudscape-design/components/file-upload'
import FormField from '@cloudscape-design/components/form-field'
import type { ReactNode } from 'react'
import { text } from '../text/text.ts'

export function FileField(props: {
  readonly label: string
  readonly hint: string
  readonly error?: string
  /** A MIME type; any by default. */
  readonly accept?: string
  readonly files: readonly File[]
  readonly onChange: (files: readonly File[]) => void
}): ReactNode {
  const { label, hint, error = '', accept, files, onChange } = props
  return (
    <FormField label={label} description={hint} errorText={error}>
      <FileUpload
        value={files}
        {...(accept !== undefined && { accept })}
        onChange={({ detail }) => onChange(detail.value)}
        showFileSize
        i18nStrings={{
          uploadButtonText: () => text.chooseFile,
          dropzoneText: () => text.chooseFile,
          removeFileAriaLabel: () => text.remove,
          limitShowFewer: '',
          limitShowMore: '',
          errorIconAriaLabel: '',
        }}
      />
    </FormField>
  )
}
