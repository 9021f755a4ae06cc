/** Aliases of a key: find, create, delete. @module */
import {
  type AliasListEntry,
  CreateAliasCommand,
  DeleteAliasCommand,
  KMSClient,
} from '@aws-sdk/client-kms'
import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useState } from 'react'
import { aliasesOf } from '../keys/key-list.ts'
import { ActionDialog } from '../shell/action-dialog.tsx'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { ListTable } from '../shell/list-table.tsx'
import { keyText } from '../text/key.ts'
import type { KeyTabProps } from './key-screen.tsx'

const words = keyText.aliases

/** Whether a name may follow `alias/`. */
export function isAliasName(name: string): boolean {
  return /^[\w/-]{1,250}$/.test(name) && !name.startsWith('aws/')
}

export function AliasesTab({ keyId, readOnly, changed }: KeyTabProps): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked(`aliases ${keyId}`, () => aliasesOf(aws, region, keyId))
  const [selected, setSelected] = useState<readonly AliasListEntry[]>([])
  const [dialog, setDialog] = useState<'create' | 'remove'>()
  const [chosen] = selected
  const cancel = (): void => setDialog(undefined)
  const done = (): void => {
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
      <ListTable<AliasListEntry>
        title={words.title}
        items={asked.state === 'here' ? asked.value : []}
        loading={asked.state === 'loading'}
        trackBy="AliasName"
        empty={words.empty}
        filter={{ label: words.filter, textOf: ({ AliasName = '' }) => AliasName }}
        choosing={
          !readOnly && {
            type: 'single',
            chosen: selected,
            onChange: setSelected,
            nameOf: ({ AliasName = '' }) => AliasName,
          }
        }
        columns={[
          {
            id: 'name',
            header: words.name,
            cell: ({ AliasName }) => AliasName?.replace(/^alias\//, ''),
            isRowHeader: true,
          },
          { id: 'arn', header: words.arn, cell: ({ AliasArn }) => AliasArn },
        ]}
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
      />
      {dialog === 'create' && <CreateAlias keyId={keyId} done={done} cancel={cancel} />}
      {dialog === 'remove' && chosen !== undefined && (
        <DeleteAlias name={chosen.AliasName ?? ''} done={done} cancel={cancel} />
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
  const act = async (): Promise<void> => {
    const asked = { AliasName: `alias/${name}`, TargetKeyId: keyId }
    await aws.run(KMSClient, region, (kms) => kms.send(new CreateAliasCommand(asked)))
    done()
  }
  return (
    <ActionDialog title={words.create} enabled={isAliasName(name)} act={act} cancel={cancel}>
      <FormField
        label={words.name}
        description={words.hint}
        errorText={name === '' || isAliasName(name) ? '' : words.wrong}
      >
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
      </FormField>
    </ActionDialog>
  )
}

function DeleteAlias({ name, done, cancel }: DialogProps & { readonly name: string }): ReactNode {
  const { aws, region } = useConsole()
  const act = async (): Promise<void> => {
    await aws.run(KMSClient, region, (kms) => kms.send(new DeleteAliasCommand({ AliasName: name })))
    done()
  }
  return (
    <ActionDialog title={words.removeTitle} action={words.remove} act={act} cancel={cancel}>
      <span className="text">{words.removeBody(name)}</span>
    </ActionDialog>
  )
}
