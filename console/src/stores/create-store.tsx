/** The dialog that creates a custom key store: an external one, or one in an HSM cluster. @module */
import {
  CreateCustomKeyStoreCommand,
  type CreateCustomKeyStoreCommandInput,
  KMSClient,
} from '@aws-sdk/client-kms'
import FormField from '@cloudscape-design/components/form-field'
import RadioGroup from '@cloudscape-design/components/radio-group'
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
  TextFile,
} from './store-fields.tsx'

type Type = keyof typeof storesText.types

const first: StoreFields = {
  name: '',
  endpoint: 'https://',
  path: '/kms/xks/v1',
  accessKeyId: '',
  secret: '',
  service: '',
  clusterId: '',
  anchor: '',
  password: '',
}

/** The fields that a kind of store has, in the order of the form. */
function namesOf(type: Type, connectivity: Connectivity): readonly (keyof StoreFields)[] {
  if (type === 'AWS_CLOUDHSM') return ['name', 'clusterId', 'anchor', 'password']
  const ofProxy = ['name', 'endpoint', 'path', 'accessKeyId', 'secret'] as const
  return connectivity === 'PUBLIC_ENDPOINT' ? ofProxy : [...ofProxy, 'service']
}

function requestOf(
  type: Type,
  connectivity: Connectivity,
  of: StoreFields,
): CreateCustomKeyStoreCommandInput {
  const named = { CustomKeyStoreName: of.name, CustomKeyStoreType: type }
  if (type === 'AWS_CLOUDHSM') {
    return {
      ...named,
      CloudHsmClusterId: of.clusterId,
      TrustAnchorCertificate: of.anchor,
      KeyStorePassword: of.password,
    }
  }
  return {
    ...named,
    XksProxyConnectivity: connectivity,
    XksProxyUriEndpoint: of.endpoint,
    XksProxyUriPath: of.path,
    XksProxyAuthenticationCredential: {
      AccessKeyId: of.accessKeyId,
      RawSecretAccessKey: of.secret,
    },
    ...(connectivity === 'VPC_ENDPOINT_SERVICE' && { XksProxyVpcEndpointServiceName: of.service }),
  }
}

export function CreateStore({
  done,
  cancel,
}: {
  readonly done: () => void
  readonly cancel: () => void
}): ReactNode {
  const { aws, region, notify } = useConsole()
  const [type, setType] = useState<Type>('EXTERNAL_KEY_STORE')
  const [connectivity, setConnectivity] = useState<Connectivity>('PUBLIC_ENDPOINT')
  const [fields, setFields] = useState<StoreFields>(first)
  const set = (more: Partial<StoreFields>): void => setFields((now) => ({ ...now, ...more }))
  const act = async (): Promise<void> => {
    await aws.run(KMSClient, region, (kms) =>
      kms.send(new CreateCustomKeyStoreCommand(requestOf(type, connectivity, fields))),
    )
    notify({ type: 'success', content: storesText.created })
    done()
  }
  const field = (name: keyof StoreFields): ReactNode => (
    <StoreField name={name} value={fields[name]} onChange={(value) => set({ [name]: value })} />
  )
  return (
    <ActionDialog
      title={storesText.create}
      enabled={namesOf(type, connectivity).every((name) => fields[name] !== '')}
      failed={storesText.notCreated}
      act={act}
      cancel={cancel}
    >
      <FormField label={storesText.columns.type}>
        <RadioGroup
          value={type}
          onChange={({ detail }) => setType(detail.value as Type)} // an item below
          items={(['EXTERNAL_KEY_STORE', 'AWS_CLOUDHSM'] as const).map((value) => ({
            value,
            label: storesText.types[value],
            description: storesText.typeHints[value],
          }))}
        />
      </FormField>
      {field('name')}
      {type === 'AWS_CLOUDHSM' ? (
        <SpaceBetween size="m">
          {field('clusterId')}
          <TextFile
            label={storesText.fields.anchor}
            hint={storesText.anchorHint}
            wrong={storesText.badAnchor}
            read={async (file) => {
              // A file of any size can be chosen. The page does not read it first.
              const isSmall = file.size <= anchorBytesMax
              const anchor = isSmall ? (await file.text()).trim() : ''
              if (!isCertificate(anchor)) throw new Error(storesText.badAnchor)
              set({ anchor })
            }}
            forget={() => set({ anchor: '' })}
          />
          {field('password')}
        </SpaceBetween>
      ) : (
        <SpaceBetween size="m">
          <ProxyFileField fill={set} />
          <ConnectivityField value={connectivity} onChange={setConnectivity} />
          {connectivity === 'VPC_ENDPOINT_SERVICE' && field('service')}
          {field('endpoint')}
          {field('path')}
          {field('accessKeyId')}
          {field('secret')}
        </SpaceBetween>
      )}
    </ActionDialog>
  )
}

/** What CreateCustomKeyStore takes. */
const anchorCharactersMax = 5000
/** Room for line breaks of two characters, and for those at the end. */
const anchorBytesMax = 2 * anchorCharactersMax

function isCertificate(text: string): boolean {
  return (
    text.length <= anchorCharactersMax &&
    /^-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----$/.test(text)
  )
}
