/** The dialog that imports key material. The browser wraps the file before anything is sent. @module */
import {
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  type KeyMetadata,
  KMSClient,
} from '@aws-sdk/client-kms'
import Alert from '@cloudscape-design/components/alert'
import Checkbox from '@cloudscape-design/components/checkbox'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import { type ReactNode, useState } from 'react'
import type { Aws } from '../aws/aws.ts'
import { typeOf } from '../keys/key-words.ts'
import { ActionDialog } from '../shell/action-dialog.tsx'
import { useConsole } from '../shell/context.ts'
import { FileField } from '../shell/file-field.tsx'
import { materialText } from '../text/material.ts'
import { readPrivateKey, wrapByRsa, wrapByRsaAndAes } from './wrap.ts'

/** A private RSA key of 4,096 bits has about 2,400 bytes. */
const fileBytesMax = 16 * 1024

const secretBytes: Readonly<Record<string, number>> = {
  SYMMETRIC_DEFAULT: 32,
  HMAC_224: 28,
  HMAC_256: 32,
  HMAC_384: 48,
  HMAC_512: 64,
}

export function ImportMaterial(props: {
  readonly metadata: KeyMetadata
  /** Material of an earlier import exists: the user says which of both uses it is. */
  readonly mayRotate: boolean
  readonly done: () => void
  readonly cancel: () => void
}): ReactNode {
  const { aws, region } = useConsole()
  const { metadata } = props
  const [files, setFiles] = useState<readonly File[]>([])
  const [expires, setExpires] = useState(false)
  const [expiresAt, setExpiresAt] = useState('')
  const [isNew, setIsNew] = useState(false)
  const [file] = files
  const until = new Date(expiresAt.replace(' ', 'T'))
  const isLate = expires && !(until.getTime() > new Date().getTime())
  const act = async (): Promise<void> => {
    if (file === undefined) return
    const material = await readMaterial(file, metadata.KeySpec ?? '')
    try {
      await importMaterial(aws, region, metadata, material, {
        ...(expires && { until }),
        isNew,
      })
    } finally {
      material.fill(0)
    }
    props.done()
  }
  return (
    <ActionDialog
      title={materialText.import}
      enabled={file !== undefined && !isLate}
      failed={materialText.notImported}
      act={act}
      cancel={props.cancel}
    >
      <Alert type="info">{materialText.private}</Alert>
      <FileField
        label={materialText.file}
        hint={materialText.fileHint[typeOf(metadata.KeySpec)]}
        files={files}
        onChange={setFiles}
      />
      <Checkbox checked={expires} onChange={({ detail }) => setExpires(detail.checked)}>
        {materialText.expiry}
      </Checkbox>
      {expires && (
        <FormField
          label={materialText.expiresAt}
          description={materialText.expiresHint}
          errorText={expiresAt !== '' && isLate ? materialText.expiryWrong : ''}
        >
          <Input value={expiresAt} onChange={({ detail }) => setExpiresAt(detail.value)} />
        </FormField>
      )}
      {props.mayRotate && (
        <Checkbox
          checked={isNew}
          description={materialText.newMaterialHint}
          onChange={({ detail }) => setIsNew(detail.checked)}
        >
          {materialText.newMaterial}
        </Checkbox>
      )}
    </ActionDialog>
  )
}

async function readMaterial(file: File, spec: string): Promise<Uint8Array<ArrayBuffer>> {
  if (file.size > fileBytesMax) throw new Error(materialText.tooLong)
  const bytes = new Uint8Array(await file.arrayBuffer())
  const wanted = secretBytes[spec]
  if (wanted === undefined) {
    const key = readPrivateKey(bytes)
    if (key === undefined) throw new Error(materialText.badFile)
    return key
  }
  if (bytes.length !== wanted) throw new Error(materialText.wrongLength(bytes.length, wanted))
  return bytes
}

async function importMaterial(
  aws: Aws,
  region: string,
  { KeyId, KeySpec }: KeyMetadata,
  material: Uint8Array<ArrayBuffer>,
  { until, isNew }: { readonly until?: Date; readonly isNew: boolean },
): Promise<void> {
  // RSA alone has no room for a private key.
  const isShort = typeOf(KeySpec) !== 'asymmetric'
  await aws.run(KMSClient, region, async (kms) => {
    const { PublicKey, ImportToken } = await kms.send(
      new GetParametersForImportCommand({
        KeyId,
        WrappingKeySpec: 'RSA_4096',
        WrappingAlgorithm: isShort ? 'RSAES_OAEP_SHA_256' : 'RSA_AES_KEY_WRAP_SHA_256',
      }),
    )
    const publicKey = new Uint8Array(PublicKey ?? new Uint8Array())
    const wrap = isShort ? wrapByRsa : wrapByRsaAndAes
    await kms.send(
      new ImportKeyMaterialCommand({
        KeyId,
        ImportToken,
        EncryptedKeyMaterial: await wrap(publicKey, material),
        ExpirationModel:
          until === undefined ? 'KEY_MATERIAL_DOES_NOT_EXPIRE' : 'KEY_MATERIAL_EXPIRES',
        ...(until !== undefined && { ValidTo: until }),
        ...(isNew && { ImportType: 'NEW_KEY_MATERIAL' }),
      }),
    )
  })
}
