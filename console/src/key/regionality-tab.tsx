/** Regionality: replicate a key, and change the primary. @module */
import { KMSClient, ReplicateKeyCommand, UpdatePrimaryRegionCommand } from '@aws-sdk/client-kms'
import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Link from '@cloudscape-design/components/link'
import Select from '@cloudscape-design/components/select'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useState } from 'react'
import { ActionDialog } from '../shell/action-dialog.tsx'
import { useConsole } from '../shell/context.ts'
import { ListTable } from '../shell/list-table.tsx'
import { hrefOf } from '../shell/router.ts'
import { keyText } from '../text/key.ts'
import { text } from '../text/text.ts'
import type { KeyTabProps } from './key-screen.tsx'

const words = keyText.regionality

export function RegionalityTab({ keyId, metadata, changed }: KeyTabProps): ReactNode {
  const { region, settings, notify } = useConsole()
  const [dialog, setDialog] = useState<'replicate' | 'change'>()
  const configuration = metadata.MultiRegionConfiguration
  if (metadata.MultiRegion !== true || configuration === undefined) {
    return <Alert type="info">{words.single}</Alert>
  }
  const { PrimaryKey, ReplicaKeys = [], MultiRegionKeyType } = configuration
  const isPrimary = MultiRegionKeyType === 'PRIMARY'
  const rows = [
    { kind: words.primary, region: PrimaryKey?.Region ?? '', arn: PrimaryKey?.Arn ?? '' },
    ...ReplicaKeys.map(({ Region = '', Arn = '' }) => ({
      kind: words.replica,
      region: Region,
      arn: Arn,
    })),
  ]
  const taken = new Set(rows.map((row) => row.region))
  const replicas = rows.slice(1).map((row) => row.region)
  const done = (message: string): void => {
    setDialog(undefined)
    notify({ type: 'success', content: message })
    changed()
  }
  return (
    <>
      <ListTable
        title={words.title}
        items={rows}
        trackBy="region"
        empty={text.none}
        columns={[
          {
            id: 'region',
            header: words.region,
            cell: (row) => (
              <Link href={hrefOf(row.region, ['keys', keyId, 'regionality'])}>{row.region}</Link>
            ),
            isRowHeader: true,
          },
          { id: 'kind', header: words.kind, cell: (row) => row.kind },
          { id: 'arn', header: keyText.arn, cell: (row) => row.arn },
        ]}
        actions={
          isPrimary && (
            <SpaceBetween direction="horizontal" size="xs">
              <Button disabled={replicas.length === 0} onClick={() => setDialog('change')}>
                {words.change}
              </Button>
              <Button onClick={() => setDialog('replicate')}>{words.replicate}</Button>
            </SpaceBetween>
          )
        }
      />
      {dialog === 'replicate' && (
        <ChooseRegion
          title={words.replicate}
          hint={words.replicateHint}
          regions={settings.regions.filter((name) => !taken.has(name))}
          ask={(kms, ReplicaRegion) =>
            kms.send(new ReplicateKeyCommand({ KeyId: keyId, ReplicaRegion }))
          }
          region={region}
          done={() => done(words.started)}
          cancel={() => setDialog(undefined)}
        />
      )}
      {dialog === 'change' && (
        <ChooseRegion
          title={words.change}
          hint={words.changeHint}
          regions={replicas}
          ask={(kms, PrimaryRegion) =>
            kms.send(new UpdatePrimaryRegionCommand({ KeyId: keyId, PrimaryRegion }))
          }
          region={region}
          done={() => done(words.changed)}
          cancel={() => setDialog(undefined)}
        />
      )}
    </>
  )
}

function ChooseRegion(props: {
  readonly title: string
  readonly hint: string
  readonly regions: readonly string[]
  readonly region: string
  readonly ask: (kms: KMSClient, region: string) => Promise<unknown>
  readonly done: () => void
  readonly cancel: () => void
}): ReactNode {
  const { aws } = useConsole()
  const [chosen, setChosen] = useState('')
  const act = async (): Promise<void> => {
    await aws.run(KMSClient, props.region, (kms) => props.ask(kms, chosen))
    props.done()
  }
  const options = props.regions.map((value) => ({ value, label: value }))
  return (
    <ActionDialog title={props.title} enabled={chosen !== ''} act={act} cancel={props.cancel}>
      <span>{props.hint}</span>
      <FormField label={words.region}>
        <Select
          filteringType="auto"
          options={options}
          selectedOption={options.find(({ value }) => value === chosen) ?? null}
          onChange={({ detail }) => setChosen(detail.selectedOption.value ?? '')}
          placeholder={words.choose}
        />
      </FormField>
    </ActionDialog>
  )
}
