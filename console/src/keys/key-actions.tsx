/** Key actions: enable, disable, schedule and cancel deletion, of one or several keys. @module */
import {
  CancelKeyDeletionCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
} from '@aws-sdk/client-kms'
import ButtonDropdown from '@cloudscape-design/components/button-dropdown'
import { type ReactNode, useState } from 'react'
import { useConsole } from '../shell/context.ts'
import { Failure } from '../shell/failed.tsx'
import { actionsText } from '../text/key-actions.ts'
import { keysText } from '../text/keys.ts'
import { DisableKeys } from './disable-keys.tsx'
import type { KeyRow } from './key-list.ts'
import { ScheduleDeletion } from './schedule-deletion.tsx'

export type ChangedKey = Pick<KeyRow, 'id' | 'aliases' | 'metadata'>

export interface KeyActionsProps {
  readonly keys: readonly ChangedKey[]
  readonly changed: (ids: readonly string[]) => void
}

export function KeyActions({ keys, changed }: KeyActionsProps): ReactNode {
  const { aws, region, notify } = useConsole()
  const [dialog, setDialog] = useState<'disable' | 'schedule'>()
  const [running, setRunning] = useState(false)
  const states = new Set(keys.map(({ metadata }) => metadata?.KeyState))
  const all = (...wanted: readonly string[]): boolean =>
    keys.length > 0 && [...states].every((state) => wanted.includes(state ?? ''))
  const change = async (
    done: (count: number) => string,
    ask: (kms: KMSClient, id: string) => Promise<unknown>,
  ): Promise<void> => {
    setRunning(true)
    const results = await Promise.allSettled(
      keys.map(({ id }) => aws.run(KMSClient, region, (kms) => ask(kms, id))),
    )
    setRunning(false)
    setDialog(undefined)
    const failures = results.flatMap((result, index) =>
      result.status === 'rejected' ? [{ id: keys[index]?.id, error: result.reason }] : [],
    )
    const count = results.length - failures.length
    if (count > 0) notify({ type: 'success', content: done(count) })
    if (failures.length > 0) {
      const content = failures.map(({ id, error }) => (
        <div key={id}>
          {keys.length > 1 && <div>{id}</div>}
          <Failure error={error} region={region} onColor />
        </div>
      ))
      notify({ type: 'error', header: actionsText.failed, content })
    }
    changed(keys.map(({ id }) => id))
  }
  const act = (id: string): void => {
    if (id === 'disable' || id === 'schedule') setDialog(id)
    else if (id === 'enable') {
      void change(actionsText.done.enable, (kms, KeyId) =>
        kms.send(new EnableKeyCommand({ KeyId })),
      )
    } else {
      void change(actionsText.done.cancel, (kms, KeyId) =>
        kms.send(new CancelKeyDeletionCommand({ KeyId })),
      )
    }
  }
  return (
    <>
      <ButtonDropdown
        loading={running}
        disabled={keys.length === 0}
        expandToViewport
        onItemClick={({ detail }) => act(detail.id)}
        items={[
          { id: 'enable', text: actionsText.enable, disabled: !all('Disabled') },
          { id: 'disable', text: actionsText.disable, disabled: !all('Enabled') },
          {
            id: 'schedule',
            text: actionsText.schedule,
            disabled: !all('Enabled', 'Disabled', 'PendingImport', 'Unavailable'),
          },
          {
            id: 'cancel',
            text: actionsText.cancelDeletion,
            disabled: !all('PendingDeletion', 'PendingReplicaDeletion'),
          },
        ]}
      >
        {keysText.actions}
      </ButtonDropdown>
      {dialog === 'disable' && (
        <DisableKeys
          count={keys.length}
          running={running}
          cancel={() => setDialog(undefined)}
          confirm={() =>
            void change(actionsText.done.disable, (kms, KeyId) =>
              kms.send(new DisableKeyCommand({ KeyId })),
            )
          }
        />
      )}
      {dialog === 'schedule' && (
        <ScheduleDeletion
          keys={keys}
          running={running}
          cancel={() => setDialog(undefined)}
          confirm={(ask) => void change(actionsText.done.schedule, ask)}
        />
      )}
    </>
  )
}
