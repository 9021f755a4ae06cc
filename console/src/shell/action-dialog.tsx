/** A dialog with a call behind its button. When the call fails, the dialog stays and shows why. @module */
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { ReactNode } from 'react'
import { keyText } from '../text/key.ts'
import { useAction } from './asked.ts'
import { Confirmation } from './confirmation.tsx'
import { Failed } from './failed.tsx'

export function ActionDialog(props: {
  readonly title: string
  /** Text of the button; the title by default. */
  readonly action?: string
  readonly enabled?: boolean
  /** Title of a failure. */
  readonly failed?: string
  readonly act: () => Promise<void>
  readonly cancel: () => void
  readonly children: ReactNode
}): ReactNode {
  const { title, action = title, enabled = true, failed = keyText.notSaved, act, cancel } = props
  const { run, running, error } = useAction(act)
  return (
    <Confirmation
      title={title}
      action={action}
      enabled={enabled}
      running={running}
      cancel={cancel}
      confirm={run}
    >
      <SpaceBetween size="m">
        <Failed error={error} title={failed} />
        {props.children}
      </SpaceBetween>
    </Confirmation>
  )
}
