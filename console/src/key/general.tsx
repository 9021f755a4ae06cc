/** General configuration of a key, with its description to edit. @module */
import { type KeyMetadata, KMSClient, UpdateKeyDescriptionCommand } from '@aws-sdk/client-kms'
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs'
import Textarea from '@cloudscape-design/components/textarea'
import { type ReactNode, useState } from 'react'
import { KeyState } from '../keys/key-state.tsx'
import { regionalityOf } from '../keys/key-words.ts'
import { ActionDialog } from '../shell/action-dialog.tsx'
import { useConsole } from '../shell/context.ts'
import { Copy } from '../shell/copy.tsx'
import { Moment } from '../shell/moment.tsx'
import { Panel } from '../shell/panel.tsx'
import { keyText } from '../text/key.ts'
import { keysText } from '../text/keys.ts'
import { text } from '../text/text.ts'

export function General(props: {
  readonly metadata: KeyMetadata
  readonly aliases: readonly string[]
  readonly readOnly: boolean
  readonly changed: () => void
}): ReactNode {
  const { metadata, aliases, readOnly } = props
  const [editing, setEditing] = useState(false)
  const { columns } = keysText
  const dates = [
    ...(metadata.DeletionDate === undefined
      ? []
      : [{ label: columns.deletion, value: <Moment at={metadata.DeletionDate} /> }]),
    ...(metadata.ValidTo === undefined
      ? []
      : [{ label: columns.expires, value: <Moment at={metadata.ValidTo} /> }]),
  ]
  return (
    <Panel
      title={keyText.general}
      actions={
        !readOnly && <Button onClick={() => setEditing(true)}>{keyText.editDescription}</Button>
      }
    >
      <KeyValuePairs
        columns={3}
        items={[
          {
            label: columns.aliases,
            value: (
              <span className="text">
                {aliases.map((name) => name.replace(/^alias\//, '')).join('\n') || text.none}
              </span>
            ),
          },
          { label: columns.state, value: <KeyState state={metadata.KeyState} /> },
          { label: columns.created, value: <Moment at={metadata.CreationDate} /> },
          { label: keyText.arn, value: <Copy value={metadata.Arn ?? ''} /> },
          {
            label: columns.description,
            value: <span className="text">{metadata.Description || text.none}</span>,
          },
          {
            label: columns.regionality,
            value: keysText.regionalities[regionalityOf(metadata)],
          },
          ...dates,
        ]}
      />
      {editing && <EditDescription {...props} close={() => setEditing(false)} />}
    </Panel>
  )
}

function EditDescription({
  metadata,
  changed,
  close,
}: {
  readonly metadata: KeyMetadata
  readonly changed: () => void
  readonly close: () => void
}): ReactNode {
  const { aws, region } = useConsole()
  const [description, setDescription] = useState(metadata.Description ?? '')
  const act = async (): Promise<void> => {
    const asked = { KeyId: metadata.KeyId, Description: description }
    await aws.run(KMSClient, region, (kms) => kms.send(new UpdateKeyDescriptionCommand(asked)))
    changed()
    close()
  }
  return (
    <ActionDialog title={keyText.editDescription} action={text.save} act={act} cancel={close}>
      <FormField label={keyText.description}>
        <Textarea
          value={description}
          onChange={({ detail }) => setDescription(detail.value)}
          rows={4}
        />
      </FormField>
    </ActionDialog>
  )
}
