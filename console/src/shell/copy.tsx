/** A text with a button that copies it. @module */
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard'
import type { ReactNode } from 'react'
import { keyText } from '../text/key.ts'
import { text } from '../text/text.ts'

export function Copy({
  value,
  label,
}: {
  readonly value: string
  readonly label?: string
}): ReactNode {
  return (
    <CopyToClipboard
      variant={label === undefined ? 'inline' : 'button'}
      textToCopy={value}
      copyButtonText={label ?? keyText.copy}
      copyButtonAriaLabel={label ?? keyText.copy}
      copySuccessText={text.copied}
      copyErrorText={text.notCopied}
    />
  )
}
