/** The button that reads again what a screen shows. @module */
import Button from '@cloudscape-design/components/button'
import type { ReactNode } from 'react'
import { text } from '../text/text.ts'

export function RefreshButton({ onClick }: { readonly onClick: () => void }): ReactNode {
  return <Button iconName="refresh" ariaLabel={text.refresh} onClick={onClick} />
}
