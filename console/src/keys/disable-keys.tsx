/** The confirmation before keys are disabled. @module */
import Checkbox from '@cloudscape-design/components/checkbox'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useState } from 'react'
import { Confirmation } from '../shell/confirmation.tsx'
import { actionsText } from '../text/key-actions.ts'

export function DisableKeys(props: {
  readonly count: number
  readonly running: boolean
  readonly cancel: () => void
  readonly confirm: () => void
}): ReactNode {
  const [sure, setSure] = useState(false)
  return (
    <Confirmation
      title={actionsText.disableTitle(props.count)}
      action={actionsText.disable}
      enabled={sure}
      {...props}
    >
      <SpaceBetween size="m">
        <span>{actionsText.disableBody}</span>
        <Checkbox checked={sure} onChange={({ detail }) => setSure(detail.checked)}>
          {actionsText.disableConfirm}
        </Checkbox>
      </SpaceBetween>
    </Confirmation>
  )
}
