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
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Table from '@cloudscape-design/components/table'
import { type ReactNode, useState } from 'react'
import type { Aws } from '../aws/aws.ts'
import { ImportMaterial } from '../material/import-material.tsx'
import { useAction, useAsked } from '../shell/asked.ts'
import { Confirmation } from '../shell/confirmation.tsx'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { Moment } from '../shell/moment.tsx'
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
    <Container
      header={
        <Header
          variant="h2"
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
          {materialText.rotation}
        </Header>
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
    </Container>
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
    <Table<RotationsListEntry>
      items={materials}
      trackBy="KeyMaterialId"
      resizableColumns
      ariaLabels={{ tableLabel: materialText.materials }}
      empty={materialText.none}
      header={
        <Header
          counter={`(${materials.length})`}
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
        >
          {materialText.materials}
        </Header>
      }
      columnDefinitions={[
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
  const { run, running, error } = useAction(async () => {
    await aws.run(KMSClient, region, props.ask)
    props.done()
  })
  return (
    <Confirmation
      title={props.title}
      action={props.title}
      enabled
      running={running}
      cancel={props.cancel}
      confirm={run}
    >
      <SpaceBetween size="m">
        <Failed error={error} title={keyText.notSaved} />
        <span>{props.body}</span>
      </SpaceBetween>
    </Confirmation>
  )
}
