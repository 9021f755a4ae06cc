/** Grants of a key: list, create, revoke, retire. @module */
import {
  type GrantListEntry,
  KMSClient,
  paginateListGrants,
  RetireGrantCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms'
import Button from '@cloudscape-design/components/button'
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { TableProps } from '@cloudscape-design/components/table'
import { type ReactNode, useState } from 'react'
import type { Aws } from '../aws/aws.ts'
import { ActionDialog } from '../shell/action-dialog.tsx'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { ListTable } from '../shell/list-table.tsx'
import { Moment } from '../shell/moment.tsx'
import { keyText } from '../text/key.ts'
import { text } from '../text/text.ts'
import { CreateGrant } from './create-grant.tsx'
import type { KeyTabProps } from './key-screen.tsx'

const words = keyText.grants
/** A key may have 50,000 grants. The table shows the first ones. */
const grantsMax = 1000

async function grantsOf(aws: Aws, region: string, KeyId: string): Promise<GrantListEntry[]> {
  return aws.run(KMSClient, region, async (client) => {
    const found: GrantListEntry[] = []
    for await (const { Grants = [] } of paginateListGrants({ client, pageSize: 100 }, { KeyId })) {
      found.push(...Grants)
      if (found.length >= grantsMax) break
    }
    return found
  })
}

export function GrantsTab({ keyId, metadata, readOnly }: KeyTabProps): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked(`grants ${keyId}`, () => grantsOf(aws, region, keyId))
  const [dialog, setDialog] = useState<'create' | 'revoke' | 'retire'>()
  const [selected, setSelected] = useState<readonly GrantListEntry[]>([])
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
      <ListTable<GrantListEntry>
        title={words.title}
        hint={words.hint}
        items={asked.state === 'here' ? asked.value : []}
        loading={asked.state === 'loading'}
        trackBy="GrantId"
        pageSize={20}
        resizableColumns
        wrapLines
        empty={words.empty}
        columns={grantColumns}
        choosing={
          !readOnly && {
            type: 'single',
            chosen: selected,
            onChange: setSelected,
            nameOf: ({ GrantId = '' }) => GrantId,
          }
        }
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

const grantColumns: readonly TableProps.ColumnDefinition<GrantListEntry>[] = [
  {
    id: 'grantee',
    header: words.grantee,
    cell: ({ GranteePrincipal, GranteeServicePrincipal }) =>
      GranteePrincipal ?? GranteeServicePrincipal,
    isRowHeader: true,
    minWidth: 320,
  },
  // A grant without a name has the name "".
  { id: 'name', header: words.name, cell: ({ Name }) => Name || text.none, minWidth: 120 },
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
]

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
  const act = async (): Promise<void> => {
    await aws.run(KMSClient, region, (kms) =>
      how === 'revoke'
        ? kms.send(new RevokeGrantCommand({ KeyId, GrantId }))
        : kms.send(new RetireGrantCommand({ KeyId, GrantId })),
    )
    done()
  }
  return (
    <ActionDialog title={words[how]} act={act} cancel={cancel}>
      <span className="text">{words.confirm(GrantId)}</span>
    </ActionDialog>
  )
}
