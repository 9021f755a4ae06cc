/** Grants of a key: list, create, revoke, retire. @module */
import {
  type GrantListEntry,
  KMSClient,
  ListGrantsCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms'
import { useCollection } from '@cloudscape-design/collection-hooks'
import Button from '@cloudscape-design/components/button'
import Header from '@cloudscape-design/components/header'
import Pagination from '@cloudscape-design/components/pagination'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Table from '@cloudscape-design/components/table'
import { type ReactNode, useState } from 'react'
import type { Aws } from '../aws/aws.ts'
import { useAction, useAsked } from '../shell/asked.ts'
import { Confirmation } from '../shell/confirmation.tsx'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { Moment } from '../shell/moment.tsx'
import { keyText } from '../text/key.ts'
import { text } from '../text/text.ts'
import { CreateGrant } from './create-grant.tsx'
import type { KeyTabProps } from './key-screen.tsx'

const words = keyText.grants
/** A key may have 50,000 grants. The table shows the first ones. */
const grantsMax = 1000

async function grantsOf(aws: Aws, region: string, keyId: string): Promise<GrantListEntry[]> {
  const found: GrantListEntry[] = []
  let Marker: string | undefined
  do {
    const asked = { KeyId: keyId, Limit: 100, ...(Marker !== undefined && { Marker }) }
    const page = await aws.run(KMSClient, region, (kms) => kms.send(new ListGrantsCommand(asked)))
    found.push(...(page.Grants ?? []))
    Marker = page.NextMarker
  } while (Marker !== undefined && found.length < grantsMax)
  return found
}

export function GrantsTab({ keyId, metadata, readOnly }: KeyTabProps): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked(`grants ${keyId}`, () => grantsOf(aws, region, keyId))
  const [dialog, setDialog] = useState<'create' | 'revoke' | 'retire'>()
  const [selected, setSelected] = useState<GrantListEntry[]>([])
  const all = asked.state === 'here' ? asked.value : []
  const { items, paginationProps } = useCollection(all, { pagination: { pageSize: 20 } })
  const [chosen] = selected
  const close = (): void => setDialog(undefined)
  const done = (): void => {
    close()
    setSelected([])
    again()
  }
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={words.failed} again={again} />
  }
  return (
    <>
      <Table<GrantListEntry>
        items={items}
        trackBy="GrantId"
        loading={asked.state === 'loading'}
        loadingText={text.loading}
        resizableColumns
        {...(!readOnly && { selectionType: 'single' as const })}
        selectedItems={selected}
        onSelectionChange={({ detail }) => setSelected(detail.selectedItems)}
        ariaLabels={{
          tableLabel: words.title,
          selectionGroupLabel: words.title,
          itemSelectionLabel: (_, { GrantId = '' }) => GrantId,
        }}
        columnDefinitions={[
          {
            id: 'grantee',
            header: words.grantee,
            cell: ({ GranteePrincipal, GranteeServicePrincipal }) =>
              GranteePrincipal ?? GranteeServicePrincipal,
            isRowHeader: true,
            minWidth: 280,
          },
          { id: 'name', header: words.name, cell: ({ Name }) => Name ?? text.none, minWidth: 120 },
          {
            id: 'operations',
            header: words.operations,
            cell: ({ Operations }) => Operations?.join(', '),
            minWidth: 200,
          },
          {
            id: 'constraints',
            header: words.constraints,
            cell: ({ Constraints }) =>
              Constraints === undefined ? text.none : JSON.stringify(Constraints),
            minWidth: 160,
          },
          {
            id: 'retiring',
            header: words.retiring,
            cell: ({ RetiringPrincipal }) => RetiringPrincipal ?? text.none,
            minWidth: 160,
          },
          {
            id: 'created',
            header: words.created,
            cell: ({ CreationDate }) => <Moment at={CreationDate} />,
            minWidth: 200,
          },
        ]}
        empty={words.empty}
        pagination={<Pagination {...paginationProps} />}
        header={
          <Header
            counter={`(${all.length})`}
            description={words.hint}
            actions={
              !readOnly && (
                <SpaceBetween direction="horizontal" size="xs">
                  <Button disabled={chosen === undefined} onClick={() => setDialog('retire')}>
                    {words.retire}
                  </Button>
                  <Button disabled={chosen === undefined} onClick={() => setDialog('revoke')}>
                    {words.revoke}
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
        <CreateGrant keyId={keyId} metadata={metadata} done={done} cancel={close} />
      )}
      {(dialog === 'revoke' || dialog === 'retire') && chosen !== undefined && (
        <EndGrant
          how={dialog}
          keyArn={metadata.Arn ?? keyId}
          grant={chosen}
          done={done}
          cancel={close}
        />
      )}
    </>
  )
}

function EndGrant(props: {
  readonly how: 'revoke' | 'retire'
  readonly keyArn: string
  readonly grant: GrantListEntry
  readonly done: () => void
  readonly cancel: () => void
}): ReactNode {
  const { aws, region } = useConsole()
  const { how, keyArn: KeyId, grant, done, cancel } = props
  const { GrantId = '' } = grant
  const { run, running, error } = useAction(async () => {
    await aws.run(KMSClient, region, (kms) =>
      how === 'revoke'
        ? kms.send(new RevokeGrantCommand({ KeyId, GrantId }))
        : kms.send(new RetireGrantCommand({ KeyId, GrantId })),
    )
    done()
  })
  return (
    <Confirmation
      title={words[how]}
      action={words[how]}
      enabled
      running={running}
      cancel={cancel}
      confirm={run}
    >
      <SpaceBetween size="m">
        <Failed error={error} title={keyText.notSaved} />
        <span className="text">{words.confirm(GrantId)}</span>
      </SpaceBetween>
    </Confirmation>
  )
}
