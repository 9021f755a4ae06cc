/** The confirmation before deletions are scheduled: it shows the last use of each key first. @module */
import {
  GetKeyLastUsageCommand,
  type GetKeyLastUsageResponse,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import Alert from '@cloudscape-design/components/alert'
import Box from '@cloudscape-design/components/box'
import Checkbox from '@cloudscape-design/components/checkbox'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Spinner from '@cloudscape-design/components/spinner'
import { type ReactNode, useState } from 'react'
import { useAsked } from '../shell/asked.ts'
import { Confirmation } from '../shell/confirmation.tsx'
import { useConsole } from '../shell/context.ts'
import { actionsText } from '../text/key-actions.ts'
import type { ChangedKey } from './key-actions.tsx'
import { LastUse } from './last-use.tsx'

/** Keys whose last use is read. A deletion of more shows the first ones. */
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
  const keys = props.keys.slice(0, usesMax)
  const { asked } = useAsked(keys.map(({ id }) => id).join(' '), () =>
    Promise.all(
      keys.map(({ id }) =>
        aws
          .run(KMSClient, region, (kms) => kms.send(new GetKeyLastUsageCommand({ KeyId: id })))
          .catch(() => undefined),
      ),
    ),
  )
  const isWrong = !/^\d{1,2}$/.test(days) || Number(days) < 7 || Number(days) > 30
  const uses: readonly (GetKeyLastUsageResponse | undefined)[] =
    asked.state === 'here' ? asked.value : []
  return (
    <Confirmation
      title={actionsText.scheduleTitle}
      action={actionsText.schedule}
      // Who used the keys last, and when, comes before the button.
      enabled={sure && !isWrong && asked.state !== 'loading'}
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
        {asked.state === 'here' &&
          keys.map(({ id, aliases }, index) => (
            <div key={id}>
              <div className="text">{aliases[0]?.replace(/^alias\//, '') ?? id}</div>
              <LastUse usage={uses[index]} />
            </div>
          ))}
        <FormField
          label={actionsText.waiting}
          description={actionsText.waitingHint}
          errorText={isWrong ? actionsText.waitingWrong : ''}
        >
          <Input
            value={days}
            inputMode="numeric"
            onChange={({ detail }) => setDays(detail.value)}
          />
        </FormField>
        <Checkbox checked={sure} onChange={({ detail }) => setSure(detail.checked)}>
          {actionsText.confirm(days)}
        </Checkbox>
      </SpaceBetween>
    </Confirmation>
  )
}
