/** Aliases of a key: find, create, delete. @module */
import {
  type AliasListEntry,
  CreateAliasCommand,
  DeleteAliasCommand,
  KMSClient,
} from '@aws-sdk/client-kms'
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Input from '@cloudscape-design/components/input'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Table from '@cloudscape-design/components/table'
import TextFilter from '@cloudscape-design/components/text-filter'
import { type ReactNode, useState } from 'react'
import { aliasesOf } from '../keys/key-list.ts'
import { useAction, useAsked } from '../shell/asked.ts'
import { Confirmation } from '../shell/confirmation.tsx'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { keyText } from '../text/key.ts'
import { text } from '../text/text.ts'
import type { KeyTabProps } from './key-screen.tsx'

const words = keyText.aliases

/** Whether a name may follow `alias/`. */
export function isAliasName(name: string): boolean {
  return /^[\w/-]{1,250}$/.test(name) && !name.startsWith('aws/')
}

export function AliasesTab({ keyId, readOnly, changed }: KeyTabProps): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked(`aliases ${keyId}`, () => aliasesOf(aws, region, keyId))
  const [filter, setFilter] = useState('')
  const [selected, setSelected] = useState<AliasListEntry[]>([])
  const [dialog, setDialog] = useState<'create' | 'remove'>()
  const all = asked.state === 'here' ? asked.value : []
  const shown = all.filter(({ AliasName = '' }) => AliasName.includes(filter))
  const [chosen] = selected
  const close = (): void => {
    setDialog(undefined)
    setSelected([])
    again()
    changed()
  }
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={words.failed} again={again} />
  }
  return (
    <>
      <Table<AliasListEntry>
        items={shown}
        trackBy="AliasName"
        loading={asked.state === 'loading'}
        loadingText={text.loading}
        {...(!readOnly && { selectionType: 'single' as const })}
        selectedItems={selected}
        onSelectionChange={({ detail }) => setSelected(detail.selectedItems)}
        ariaLabels={{
          tableLabel: words.title,
          selectionGroupLabel: words.title,
          itemSelectionLabel: (_, { AliasName = '' }) => AliasName,
        }}
        columnDefinitions={[
          {
            id: 'name',
            header: words.name,
            cell: ({ AliasName }) => AliasName?.replace(/^alias\//, ''),
            isRowHeader: true,
          },
          { id: 'arn', header: words.arn, cell: ({ AliasArn }) => AliasArn },
        ]}
        empty={words.empty}
        filter={
          <TextFilter
            filteringText={filter}
            filteringPlaceholder={words.filter}
            filteringAriaLabel={words.filter}
            onChange={({ detail }) => setFilter(detail.filteringText)}
          />
        }
        header={
          <Header
            counter={`(${all.length})`}
            actions={
              !readOnly && (
                <SpaceBetween direction="horizontal" size="xs">
                  <Button disabled={chosen === undefined} onClick={() => setDialog('remove')}>
                    {words.remove}
                  </Button>
                  <Button onClick={() => setDialog('create')}>{words.create}</Button>
                </SpaceBetween>
              )
            }
          >
            {words.title}
          </Header>
        }
      />
      {dialog === 'create' && (
        <CreateAlias keyId={keyId} done={close} cancel={() => setDialog(undefined)} />
      )}
      {dialog === 'remove' && chosen !== undefined && (
        <DeleteAlias
          name={chosen.AliasName ?? ''}
          done={close}
          cancel={() => setDialog(undefined)}
        />
      )}
    </>
  )
}

interface DialogProps {
  readonly done: () => void
  readonly cancel: () => void
}

function CreateAlias({ keyId, done, cancel }: DialogProps & { readonly keyId: string }): ReactNode {
  const { aws, region } = useConsole()
  const [name, setName] = useState('')
  const { run, running, error } = useAction(async () => {
    const asked = { AliasName: `alias/${name}`, TargetKeyId: keyId }
    await aws.run(KMSClient, region, (kms) => kms.send(new CreateAliasCommand(asked)))
    done()
  })
  return (
    <Confirmation
      title={words.create}
      action={words.create}
      enabled={isAliasName(name)}
      running={running}
      cancel={cancel}
      confirm={run}
    >
      <SpaceBetween size="m">
        <Failed error={error} title={keyText.notSaved} />
        <FormField
          label={words.name}
          description={words.hint}
          errorText={name === '' || isAliasName(name) ? '' : words.wrong}
        >
          <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
        </FormField>
      </SpaceBetween>
    </Confirmation>
  )
}

function DeleteAlias({ name, done, cancel }: DialogProps & { readonly name: string }): ReactNode {
  const { aws, region } = useConsole()
  const { run, running, error } = useAction(async () => {
    await aws.run(KMSClient, region, (kms) => kms.send(new DeleteAliasCommand({ AliasName: name })))
    done()
  })
  return (
    <Confirmation
      title={words.removeTitle}
      action={words.remove}
      enabled
      running={running}
      cancel={cancel}
      confirm={run}
    >
      <SpaceBetween size="m">
        <Failed error={error} title={keyText.notSaved} />
        <span className="text">{words.removeBody(name)}</span>
      </SpaceBetween>
    </Confirmation>
  )
}
