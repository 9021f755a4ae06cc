/** Custom key stores: list, create, edit, connect, disconnect, delete. @module */
import {
  ConnectCustomKeyStoreCommand,
  type CustomKeyStoresListEntry,
  DeleteCustomKeyStoreCommand,
  DescribeCustomKeyStoresCommand,
  DisconnectCustomKeyStoreCommand,
  KMSClient,
} from '@aws-sdk/client-kms'
import Button from '@cloudscape-design/components/button'
import ButtonDropdown from '@cloudscape-design/components/button-dropdown'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useEffect, useState } from 'react'
import { ActionDialog } from '../shell/action-dialog.tsx'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { ListTable } from '../shell/list-table.tsx'
import { Moment } from '../shell/moment.tsx'
import { storesText } from '../text/stores.ts'
import { text } from '../text/text.ts'
import { CreateStore } from './create-store.tsx'
import { EditStore } from './edit-store.tsx'
import { StoreState } from './store-state.tsx'

type Store = CustomKeyStoresListEntry
type Deed = 'connect' | 'disconnect' | 'remove'

const { columns } = storesText
/** Milliseconds between two looks at a store that is connecting. */
const againMs = 1500

export function StoresScreen(): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked('stores', async () => {
    const answer = await aws.run(KMSClient, region, (kms) =>
      kms.send(new DescribeCustomKeyStoresCommand({ Limit: 1000 })),
    )
    return answer.CustomKeyStores ?? []
  })
  const [selected, setSelected] = useState<readonly Store[]>([])
  const [dialog, setDialog] = useState<Deed | 'create' | 'edit'>()
  const all = asked.state === 'here' ? asked.value : []
  const isMoving = all.some(({ ConnectionState }) => ConnectionState?.endsWith('ING') === true)
  useEffect(() => {
    if (!isMoving) return undefined
    const timer = setInterval(again, againMs)
    return () => clearInterval(timer)
  }, [isMoving, again])
  const [first] = selected
  const chosen = all.find(({ CustomKeyStoreId }) => CustomKeyStoreId === first?.CustomKeyStoreId)
  const state = chosen?.ConnectionState
  const close = (): void => setDialog(undefined)
  return (
    <SpaceBetween size="m">
      {asked.state === 'failed' && (
        <Failed error={asked.error} title={storesText.failed} again={again} />
      )}
      <ListTable<Store>
        title={storesText.title}
        hint={storesText.hint}
        variant="full-page"
        items={all}
        loading={asked.state === 'loading'}
        trackBy="CustomKeyStoreId"
        empty={storesText.empty}
        columns={storeColumns}
        choosing={{
          type: 'single',
          chosen: chosen === undefined ? [] : [chosen],
          onChange: setSelected,
          nameOf: ({ CustomKeyStoreName = '' }) => CustomKeyStoreName,
        }}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <ButtonDropdown
              disabled={chosen === undefined}
              onItemClick={({ detail }) => setDialog(detail.id as Deed | 'edit')} // an item below
              items={[
                {
                  id: 'edit',
                  text: storesText.edit,
                  disabled: state !== 'DISCONNECTED' && state !== 'CONNECTED',
                },
                { id: 'connect', text: storesText.connect, disabled: state !== 'DISCONNECTED' },
                {
                  id: 'disconnect',
                  text: storesText.disconnect,
                  disabled: state !== 'CONNECTED' && state !== 'FAILED',
                },
                { id: 'remove', text: storesText.remove, disabled: state !== 'DISCONNECTED' },
              ]}
            >
              {text.actions}
            </ButtonDropdown>
            <Button variant="primary" onClick={() => setDialog('create')}>
              {storesText.create}
            </Button>
          </SpaceBetween>
        }
      />
      {dialog === 'create' && <CreateStore cancel={close} done={() => (close(), again())} />}
      {dialog === 'edit' && chosen !== undefined && (
        <EditStore store={chosen} cancel={close} done={() => (close(), again())} />
      )}
      {dialog !== undefined && dialog !== 'create' && dialog !== 'edit' && chosen !== undefined && (
        <StoreDeed deed={dialog} store={chosen} cancel={close} done={() => (close(), again())} />
      )}
    </SpaceBetween>
  )
}

const storeColumns = [
  {
    id: 'name',
    header: columns.name,
    cell: ({ CustomKeyStoreName }: Store) => CustomKeyStoreName,
    isRowHeader: true,
  },
  { id: 'id', header: columns.id, cell: ({ CustomKeyStoreId }: Store) => CustomKeyStoreId },
  {
    id: 'type',
    header: columns.type,
    cell: ({ CustomKeyStoreType = 'AWS_CLOUDHSM' }: Store) => storesText.types[CustomKeyStoreType],
  },
  { id: 'state', header: columns.state, cell: (store: Store) => <Connection store={store} /> },
  {
    id: 'endpoint',
    header: columns.endpoint,
    cell: ({ XksProxyConfiguration: proxy, CloudHsmClusterId }: Store) =>
      proxy === undefined
        ? (CloudHsmClusterId ?? text.none)
        : `${proxy.UriEndpoint ?? ''}${proxy.UriPath ?? ''}`,
  },
  {
    id: 'created',
    header: columns.created,
    cell: ({ CreationDate }: Store) => <Moment at={CreationDate} />,
  },
]

/** The state of a connection; an error code in plain words. */
function Connection({ store }: { readonly store: Store }): ReactNode {
  const { ConnectionState: state = 'DISCONNECTED', ConnectionErrorCode: code } = store
  const words: Readonly<Record<string, string>> = storesText.errors
  return (
    <div>
      <StoreState state={state} />
      {code !== undefined && (
        <div className="text">
          {words[code] ?? ''} <code>{code}</code>
        </div>
      )}
    </div>
  )
}

function StoreDeed(props: {
  readonly deed: Deed
  readonly store: Store
  readonly done: () => void
  readonly cancel: () => void
}): ReactNode {
  const { aws, region, notify } = useConsole()
  const { deed, store, done, cancel } = props
  const asked = { CustomKeyStoreId: store.CustomKeyStoreId }
  const act = async (): Promise<void> => {
    await aws.run(KMSClient, region, (kms): Promise<unknown> => {
      if (deed === 'connect') return kms.send(new ConnectCustomKeyStoreCommand(asked))
      if (deed === 'disconnect') return kms.send(new DisconnectCustomKeyStoreCommand(asked))
      return kms.send(new DeleteCustomKeyStoreCommand(asked))
    })
    notify({ type: 'success', content: storesText.asked[deed] })
    done()
  }
  return (
    <ActionDialog
      title={storesText[deed]}
      failed={storesText.failedTo[deed]}
      act={act}
      cancel={cancel}
    >
      <span>{storesText.confirm[deed]}</span>
    </ActionDialog>
  )
}
