/** The confirmation before deletions are scheduled: it shows the last use of each key first. @module */
import { type KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms'
import Alert from '@cloudscape-design/components/alert'
import Box from '@cloudscape-design/components/box'
import Checkbox from '@cloudscape-design/components/checkbox'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import { type ReactNode, useState } from 'react'
import { useAsked } from '../shell/asked.ts'
import { Confirmation } from '../shell/confirmation.tsx'
import { useConsole } from '../shell/context.ts'
import { DaysField } from '../shell/days-field.tsx'
import { actionsText } from '../text/key-actions.ts'
import type { ChangedKey } from './key-actions.tsx'
import { type KeyUse, LastUse, lastUseOf } from './last-use.tsx'

/** Keys whose last use is read, one by one: AWS answers LookupEvents twice a second. */
const usesMax = 20

export function ScheduleDeletion(props: {
  readonly keys: readonly ChangedKey[]
  readonly running: boolean
  readonly cancel: () => void
  readonly confirm: (ask: (kms: KMSClient, id: string) => Promise<unknown>) => void
}): ReactNode {
  const { aws, region } = useConsole()
  const [days, setDays] = useState('30')
  const [sure, setSure] = useState(false)
  const { keys } = props
  const isTooMany = keys.length > usesMax
  const { asked } = useAsked(keys.map(({ id }) => id).join(' '), async () => {
    const uses = new Map<string, KeyUse | undefined>()
    for (const { id } of isTooMany ? [] : keys) {
      uses.set(id, await lastUseOf(aws, region, id).catch(() => undefined))
    }
    return uses
  })
  const isWrong = !/^\d{1,2}$/.test(days) || Number(days) < 7 || Number(days) > 30
  return (
    <Confirmation
      title={actionsText.scheduleTitle}
      action={actionsText.schedule}
      // Who used the keys last, and when, comes before the button.
      enabled={sure && !isWrong && !isTooMany && asked.state === 'here'}
      running={props.running}
      cancel={props.cancel}
      confirm={() =>
        props.confirm((kms, KeyId) =>
          kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: Number(days) })),
        )
      }
    >
      <SpaceBetween size="m">
        <Alert type="warning">{actionsText.scheduleWarning}</Alert>
        <Box variant="awsui-key-label">{actionsText.lastUse}</Box>
        {asked.state === 'loading' && <Spinner />}
        {isTooMany && <Alert type="error">{actionsText.tooMany(usesMax)}</Alert>}
        {asked.state === 'here' &&
          !isTooMany &&
          keys.map(({ id, aliases }) => (
            <div key={id}>
              <div className="text">{aliases[0]?.replace(/^alias\//, '') ?? id}</div>
              <LastUse use={asked.value.get(id)} />
            </div>
          ))}
        <DaysField
          label={actionsText.waiting}
          hint={actionsText.waitingHint}
          error={isWrong ? actionsText.waitingWrong : ''}
          value={days}
          onChange={setDays}
        />
        <Checkbox checked={sure} onChange={({ detail }) => setSure(detail.checked)}>
          {actionsText.confirm(days)}
        </Checkbox>
      </SpaceBetween>
    </Confirmation>
  )
}
