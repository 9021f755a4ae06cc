/** The dialog for automatic rotation. @module */
import {
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  type GetKeyRotationStatusResponse,
  KMSClient,
} from '@aws-sdk/client-kms'
import Checkbox from '@cloudscape-design/components/checkbox'
import { type ReactNode, useState } from 'react'
import { ActionDialog } from '../shell/action-dialog.tsx'
import { useConsole } from '../shell/context.ts'
import { DaysField } from '../shell/days-field.tsx'
import { materialText } from '../text/material.ts'
import { text } from '../text/text.ts'

export function EditRotation(props: {
  readonly keyId: string
  readonly status: GetKeyRotationStatusResponse
  readonly done: () => void
  readonly cancel: () => void
}): ReactNode {
  const { aws, region } = useConsole()
  const { KeyRotationEnabled, RotationPeriodInDays = 365 } = props.status
  const [isOn, setOn] = useState(KeyRotationEnabled === true)
  const [days, setDays] = useState(String(RotationPeriodInDays))
  const number = /^\d{2,4}$/.test(days) ? Number(days) : 0
  const isWrong = isOn && (number < 90 || number > 2560)
  const act = async (): Promise<void> => {
    const { keyId: KeyId } = props
    await aws.run(KMSClient, region, (kms): Promise<unknown> =>
      isOn
        ? kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: number }))
        : kms.send(new DisableKeyRotationCommand({ KeyId })),
    )
    props.done()
  }
  return (
    <ActionDialog
      title={materialText.rotation}
      action={text.save}
      enabled={!isWrong}
      act={act}
      cancel={props.cancel}
    >
      <Checkbox checked={isOn} onChange={({ detail }) => setOn(detail.checked)}>
        {materialText.box}
      </Checkbox>
      {isOn && (
        <DaysField
          label={materialText.period}
          hint={materialText.periodHint}
          error={isWrong ? materialText.periodWrong : ''}
          value={days}
          onChange={setDays}
        />
      )}
    </ActionDialog>
  )
}
