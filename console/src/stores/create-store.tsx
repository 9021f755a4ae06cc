/** The dialog that creates an external key store, also from a proxy's configuration file. @module */
import { CreateCustomKeyStoreCommand, KMSClient } from '@aws-sdk/client-kms'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import { type ReactNode, useState } from 'react'
import { ActionDialog } from '../shell/action-dialog.tsx'
import { useConsole } from '../shell/context.ts'
import { FileField } from '../shell/file-field.tsx'
import { storesText } from '../text/stores.ts'

interface Fields {
  readonly name: string
  readonly endpoint: string
  readonly path: string
  readonly accessKeyId: string
  readonly secret: string
}

const fileBytesMax = 64 * 1024

/** The file that AWS's console takes, as proxies write it. */
async function readFile(file: File): Promise<Partial<Fields>> {
  if (file.size > fileBytesMax) throw new Error(storesText.badFile)
  const read = JSON.parse(await file.text()) as {
    readonly XksProxyUriPath?: unknown
    readonly XksProxyUriEndpoint?: unknown
    readonly XksProxyAuthenticationCredential?: {
      readonly AccessKeyId?: unknown
      readonly RawSecretAccessKey?: unknown
    }
  }
  const { XksProxyUriPath: path, XksProxyUriEndpoint: endpoint } = read
  const { AccessKeyId: id, RawSecretAccessKey: secret } =
    read.XksProxyAuthenticationCredential ?? {}
  if (typeof path !== 'string' || typeof id !== 'string' || typeof secret !== 'string') {
    throw new Error(storesText.badFile)
  }
  return { path, accessKeyId: id, secret, ...(typeof endpoint === 'string' && { endpoint }) }
}

export function CreateStore({
  done,
  cancel,
}: {
  readonly done: () => void
  readonly cancel: () => void
}): ReactNode {
  const { aws, region, notify } = useConsole()
  const [files, setFiles] = useState<readonly File[]>([])
  const [isBad, setBad] = useState(false)
  const [fields, setFields] = useState<Fields>({
    name: '',
    endpoint: 'https://',
    path: '/kms/xks/v1',
    accessKeyId: '',
    secret: '',
  })
  const act = async (): Promise<void> => {
    const { name, endpoint, path, accessKeyId, secret } = fields
    await aws.run(KMSClient, region, (kms) =>
      kms.send(
        new CreateCustomKeyStoreCommand({
          CustomKeyStoreName: name,
          CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
          XksProxyConnectivity: 'PUBLIC_ENDPOINT',
          XksProxyUriEndpoint: endpoint,
          XksProxyUriPath: path,
          XksProxyAuthenticationCredential: {
            AccessKeyId: accessKeyId,
            RawSecretAccessKey: secret,
          },
        }),
      ),
    )
    notify({ type: 'success', content: storesText.created })
    done()
  }
  const choose = (chosen: readonly File[]): void => {
    setFiles(chosen)
    setBad(false)
    const [file] = chosen
    if (file === undefined) return
    readFile(file).then(
      (read) => setFields((now) => ({ ...now, ...read })),
      () => setBad(true),
    )
  }
  const field = (
    name: keyof Fields,
    label: string,
    type: 'text' | 'password' = 'text',
  ): ReactNode => (
    <FormField label={label}>
      <Input
        type={type}
        value={fields[name]}
        autoComplete="off"
        onChange={({ detail }) => setFields({ ...fields, [name]: detail.value })}
      />
    </FormField>
  )
  return (
    <ActionDialog
      title={storesText.create}
      enabled={Object.values(fields).every((value) => value !== '')}
      failed={storesText.notCreated}
      act={act}
      cancel={cancel}
    >
      {field('name', storesText.name)}
      <FileField
        label={storesText.file}
        hint={storesText.fileHint}
        error={isBad ? storesText.badFile : ''}
        accept="application/json"
        files={files}
        onChange={choose}
      />
      {field('endpoint', storesText.endpoint)}
      {field('path', storesText.path)}
      {field('accessKeyId', storesText.accessKeyId)}
      {field('secret', storesText.secret, 'password')}
    </ActionDialog>
  )
}
