/** Key materials and rotations; imports and deletions of imported material. @module */
import {
  DeleteImportedKeyMaterialCommand,
  GetKeyRotationStatusCommand,
  type GetKeyRotationStatusResponse,
  KMSClient,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
  type RotationsListEntry,
} from '@aws-sdk/client-kms'
import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useState } from 'react'
import type { Aws } from '../aws/aws.ts'
import { ImportMaterial } from '../material/import-material.tsx'
import { ActionDialog } from '../shell/action-dialog.tsx'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { ListTable } from '../shell/list-table.tsx'
import { Moment } from '../shell/moment.tsx'
import { Panel } from '../shell/panel.tsx'
import { Loading } from '../shell/screen.tsx'
import { keyText } from '../text/key.ts'
import { materialText } from '../text/material.ts'
import { text } from '../text/text.ts'
import { EditRotation } from './edit-rotation.tsx'
import type { KeyTabProps } from './key-screen.tsx'

interface Read {
  readonly status: GetKeyRotationStatusResponse
  readonly materials: readonly RotationsListEntry[]
}

async function readMaterials(aws: Aws, region: string, KeyId: string): Promise<Read> {
  return aws.run(KMSClient, region, async (kms) => {
    const [status, { Rotations = [] }] = await Promise.all([
      kms.send(new GetKeyRotationStatusCommand({ KeyId })),
      kms.send(
        new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 1000 }),
      ),
    ])
    return { status, materials: Rotations }
  })
}

export function MaterialTab(props: KeyTabProps): ReactNode {
  const { keyId, metadata, readOnly, changed } = props
  const { aws, region, notify } = useConsole()
  const isSymmetric = metadata.KeySpec === 'SYMMETRIC_DEFAULT'
  const isImported = metadata.Origin === 'EXTERNAL'
  const rotates = isSymmetric && metadata.CustomKeyStoreId === undefined
  const { asked, again } = useAsked(`material ${keyId}`, async () =>
    rotates ? readMaterials(aws, region, keyId) : undefined,
  )
  const [dialog, setDialog] = useState<'import' | 'remove' | 'edit' | 'rotate'>()
  const close = (): void => setDialog(undefined)
  const done = (content: string): void => {
    close()
    notify({ type: 'success', content })
    again()
    changed()
  }
  if (asked.state === 'loading') return <Loading />
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={materialText.failed} again={again} />
  }
  const read = asked.value
  return (
    <SpaceBetween size="m">
      {read === undefined ? (
        <Alert type="info">{materialText.noRotation}</Alert>
      ) : (
        <Rotation
          status={read.status}
          isImported={isImported}
          readOnly={readOnly}
          open={setDialog}
        />
      )}
      {(read !== undefined || isImported) && (
        <Materials
          materials={read?.materials ?? []}
          isImported={isImported}
          hasMaterial={metadata.KeyState !== 'PendingImport'}
          open={setDialog}
        />
      )}
      {dialog === 'import' && (
        <ImportMaterial
          metadata={metadata}
          mayRotate={isSymmetric && (read?.materials.length ?? 0) > 0}
          done={() => done(materialText.imported)}
          cancel={close}
        />
      )}
      {dialog === 'edit' && read !== undefined && (
        <EditRotation
          keyId={keyId}
          status={read.status}
          done={() => done(keyText.saved)}
          cancel={close}
        />
      )}
      {dialog === 'rotate' && (
        <Ask
          title={materialText.rotateNow}
          body={materialText.rotateHint}
          ask={(kms) => kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }))}
          done={() => done(materialText.rotating)}
          cancel={close}
        />
      )}
      {dialog === 'remove' && (
        <Ask
          title={materialText.remove}
          body={materialText.removeBody}
          ask={(kms) => kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: keyId }))}
          done={() => done(materialText.removed)}
          cancel={close}
        />
      )}
    </SpaceBetween>
  )
}

type Open = (dialog: 'import' | 'remove' | 'edit' | 'rotate') => void

function Rotation(props: {
  readonly status: GetKeyRotationStatusResponse
  readonly isImported: boolean
  readonly readOnly: boolean
  readonly open: Open
}): ReactNode {
  const { status, isImported, readOnly, open } = props
  const { KeyRotationEnabled: isOn, RotationPeriodInDays: days = 365, NextRotationDate } = status
  return (
    <Panel
      title={materialText.rotation}
      actions={
        !readOnly && (
          <SpaceBetween direction="horizontal" size="xs">
            {!isImported && (
              <Button onClick={() => open('edit')}>{materialText.editRotation}</Button>
            )}
            <Button onClick={() => open('rotate')}>{materialText.rotateNow}</Button>
          </SpaceBetween>
        )
      }
    >
      <KeyValuePairs
        columns={2}
        items={[
          {
            label: materialText.rotation,
            value: isOn === true ? materialText.rotationOn(days) : materialText.rotationOff,
          },
          { label: materialText.next, value: <Moment at={NextRotationDate} /> },
        ]}
      />
    </Panel>
  )
}

function Materials(props: {
  readonly materials: readonly RotationsListEntry[]
  readonly isImported: boolean
  readonly hasMaterial: boolean
  readonly open: Open
}): ReactNode {
  const { materials, isImported, hasMaterial, open } = props
  return (
    <ListTable<RotationsListEntry>
      title={materialText.materials}
      items={materials}
      trackBy="KeyMaterialId"
      resizableColumns
      wrapLines
      empty={materialText.none}
      actions={
        isImported && (
          <SpaceBetween direction="horizontal" size="xs">
            <Button disabled={!hasMaterial} onClick={() => open('remove')}>
              {materialText.remove}
            </Button>
            <Button variant="primary" onClick={() => open('import')}>
              {materialText.import}
            </Button>
          </SpaceBetween>
        )
      }
      columns={[
        {
          id: 'id',
          header: materialText.id,
          cell: ({ KeyMaterialId }) => KeyMaterialId,
          isRowHeader: true,
          minWidth: 280,
        },
        {
          id: 'state',
          header: materialText.state,
          cell: ({ KeyMaterialState }) => KeyMaterialState ?? text.none,
          minWidth: 140,
        },
        {
          id: 'import',
          header: materialText.importState,
          cell: ({ ImportState }) => ImportState ?? text.none,
          minWidth: 140,
        },
        {
          id: 'when',
          header: materialText.when,
          cell: ({ RotationDate }) => <Moment at={RotationDate} />,
          minWidth: 200,
        },
        {
          id: 'how',
          header: materialText.how,
          cell: ({ RotationType }) => RotationType ?? text.none,
          minWidth: 140,
        },
        {
          id: 'expires',
          header: materialText.expires,
          cell: ({ ValidTo }) => <Moment at={ValidTo} />,
          minWidth: 200,
        },
      ]}
    />
  )
}

function Ask(props: {
  readonly title: string
  readonly body: string
  readonly ask: (kms: KMSClient) => Promise<unknown>
  readonly done: () => void
  readonly cancel: () => void
}): ReactNode {
  const { aws, region } = useConsole()
  const act = async (): Promise<void> => {
    await aws.run(KMSClient, region, props.ask)
    props.done()
  }
  return (
    <ActionDialog title={props.title} act={act} cancel={props.cancel}>
      <span>{props.body}</span>
    </ActionDialog>
  )
}
