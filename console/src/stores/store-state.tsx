/** The state of the connection of a custom key store. @module */
import type { ConnectionStateType } from '@aws-sdk/client-kms'
import StatusIndicator, {
  type StatusIndicatorProps,
} from '@cloudscape-design/components/status-indicator'
import type { ReactNode } from 'react'
import { storesText } from '../text/stores.ts'

const types: Readonly<Record<ConnectionStateType, StatusIndicatorProps.Type>> = {
  CONNECTED: 'success',
  CONNECTING: 'in-progress',
  FAILED: 'error',
  DISCONNECTED: 'stopped',
  DISCONNECTING: 'in-progress',
}

export function StoreState({ state }: { readonly state: ConnectionStateType }): ReactNode {
  return <StatusIndicator type={types[state]}>{storesText.states[state]}</StatusIndicator>
}
