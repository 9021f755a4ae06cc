/** A dialog that asks before something happens. @module */
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Modal from '@cloudscape-design/components/modal'
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { ReactNode } from 'react'
import { text } from '../text/text.ts'

export function Confirmation(props: {
  readonly title: string
  readonly action: string
  readonly enabled: boolean
  readonly running: boolean
  readonly cancel: () => void
  readonly confirm: () => void
  readonly children: ReactNode
}): ReactNode {
  return (
    <Modal
      visible
      header={props.title}
      closeAriaLabel={text.close}
      onDismiss={props.cancel}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={props.cancel}>
              {text.cancel}
            </Button>
            <Button
              variant="primary"
              disabled={!props.enabled}
              loading={props.running}
              onClick={props.confirm}
            >
              {props.action}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      {props.children}
    </Modal>
  )
}
