/** The state of a key with its colour. @module */
import StatusIndicator, {
  type StatusIndicatorProps,
} from '@cloudscape-design/components/status-indicator'
import type { ReactNode } from 'react'
import { stateWord } from './key-words.ts'

const types: Readonly<Record<string, StatusIndicatorProps.Type>> = {
  Enabled: 'success',
  Disabled: 'stopped',
  PendingDeletion: 'error',
  PendingReplicaDeletion: 'error',
  PendingImport: 'pending',
  Unavailable: 'warning',
  Creating: 'in-progress',
  Updating: 'in-progress',
}

export function KeyState({ state }: { readonly state: string | undefined }): ReactNode {
  return (
    <span className="whole-words">
      <StatusIndicator type={types[state ?? ''] ?? 'info'}>{stateWord(state)}</StatusIndicator>
    </span>
  )
}
