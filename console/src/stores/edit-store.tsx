/** The dialog that edits a custom key store. @module */
import {
  type CustomKeyStoresListEntry,
  KMSClient,
  UpdateCustomKeyStoreCommand,
  type UpdateCustomKeyStoreCommandInput,
} from '@aws-sdk/client-kms'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useState } from 'react'
import { ActionDialog } from '../shell/action-dialog.tsx'
import { useConsole } from '../shell/context.ts'
import { storesText } from '../text/stores.ts'
import {
  type Connectivity,
  ConnectivityField,
  ProxyFileField,
  StoreField,
  type StoreFields,
} from './store-fields.tsx'

/** What a person can change. Secrets are empty at first, and then stay as they are. */
type Fields = Omit<StoreFields, 'anchor'> & { readonly connectivity: Connectivity }

/** A store must be disconnected for the other changes. */
const changeableWhileConnected: ReadonlySet<string> = new Set([
  'name',
  'path',
  'accessKeyId',
  'secret',
])

function fieldsOf(store: CustomKeyStoresListEntry): Fields {
  const { XksProxyConfiguration: proxy = {} } = store
  return {
    name: store.CustomKeyStoreName ?? '',
    clusterId: store.CloudHsmClusterId ?? '',
    password: '',
    endpoint: proxy.UriEndpoint ?? '',
    path: proxy.UriPath ?? '',
    connectivity: proxy.Connectivity ?? 'PUBLIC_ENDPOINT',
    service: proxy.VpcEndpointServiceName ?? '',
    accessKeyId: proxy.AccessKeyId ?? '',
    secret: '',
  }
}

/** What differs, as UpdateCustomKeyStore takes it. */
function changesOf(before: Fields, now: Fields): Partial<UpdateCustomKeyStoreCommandInput> {
  const isNew = (name: keyof Fields): boolean => now[name] !== before[name]
  const isMoved = isNew('connectivity')
  const isPrivate = now.connectivity === 'VPC_ENDPOINT_SERVICE'
  return {
    ...(isNew('name') && { NewCustomKeyStoreName: now.name }),
    ...(isNew('clusterId') && { CloudHsmClusterId: now.clusterId }),
    ...(isNew('password') && { KeyStorePassword: now.password }),
    // Another connectivity needs its endpoint, even if that is the same.
    ...((isNew('endpoint') || isMoved) && { XksProxyUriEndpoint: now.endpoint }),
    ...(isNew('path') && { XksProxyUriPath: now.path }),
    ...(isMoved && { XksProxyConnectivity: now.connectivity }),
    ...(isPrivate &&
      (isNew('service') || isMoved) && { XksProxyVpcEndpointServiceName: now.service }),
    ...((isNew('accessKeyId') || isNew('secret')) && {
      XksProxyAuthenticationCredential: {
        AccessKeyId: now.accessKeyId,
        RawSecretAccessKey: now.secret,
      },
    }),
  }
}

/** Whether nothing is missing. Another access key needs its secret. */
function isWhole(before: Fields, now: Fields, isExternal: boolean): boolean {
  if (now.name === '') return false
  if (!isExternal) return now.clusterId !== ''
  const ofProxy = [now.endpoint, now.path, now.accessKeyId]
  if (now.connectivity === 'VPC_ENDPOINT_SERVICE') ofProxy.push(now.service)
  if (now.accessKeyId !== before.accessKeyId) ofProxy.push(now.secret)
  return ofProxy.every((each) => each !== '')
}

export function EditStore({
  store,
  done,
  cancel,
}: {
  readonly store: CustomKeyStoresListEntry
  readonly done: () => void
  readonly cancel: () => void
}): ReactNode {
  const { aws, region, notify } = useConsole()
  // A look at the list while the dialog is open does not take away what was typed.
  const [before] = useState(() => fieldsOf(store))
  const [fields, setFields] = useState(before)
  const set = (more: Partial<Fields>): void => setFields((now) => ({ ...now, ...more }))
  const isExternal = store.CustomKeyStoreType === 'EXTERNAL_KEY_STORE'
  const isConnected = store.ConnectionState !== 'DISCONNECTED'
  const changes = changesOf(before, fields)
  const act = async (): Promise<void> => {
    const input = { CustomKeyStoreId: store.CustomKeyStoreId, ...changes }
    await aws.run(KMSClient, region, (kms) => kms.send(new UpdateCustomKeyStoreCommand(input)))
    notify({ type: 'success', content: storesText.edited })
    done()
  }
  const field = (name: keyof StoreFields & keyof Fields, hint?: string): ReactNode => (
    <StoreField
      name={name}
      value={fields[name]}
      disabled={isConnected && !changeableWhileConnected.has(name)}
      {...(hint !== undefined && { hint })}
      onChange={(value) => set({ [name]: value })}
    />
  )
  return (
    <ActionDialog
      title={storesText.edit}
      action={storesText.save}
      enabled={Object.keys(changes).length > 0 && isWhole(before, fields, isExternal)}
      failed={storesText.notEdited}
      act={act}
      cancel={cancel}
    >
      {isConnected && <div>{isExternal ? storesText.connectedProxy : storesText.connectedHsm}</div>}
      {field('name')}
      {isExternal ? (
        <SpaceBetween size="m">
          {!isConnected && <ProxyFileField fill={set} />}
          <ConnectivityField
            value={fields.connectivity}
            disabled={isConnected}
            onChange={(connectivity) => set({ connectivity })}
          />
          {fields.connectivity === 'VPC_ENDPOINT_SERVICE' && field('service')}
          {field('endpoint')}
          {field('path')}
          {field('accessKeyId')}
          {field('secret', storesText.secretHint)}
        </SpaceBetween>
      ) : (
        <SpaceBetween size="m">
          {field('clusterId', storesText.clusterHint)}
          {field('password', storesText.passwordHint)}
        </SpaceBetween>
      )}
    </ActionDialog>
  )
}
