/** The dialog that creates a grant. @module */
import {
  CreateGrantCommand,
  type GrantOperation,
  type KeyMetadata,
  KMSClient,
} from '@aws-sdk/client-kms'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import Multiselect from '@cloudscape-design/components/multiselect'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Textarea from '@cloudscape-design/components/textarea'
import { type ReactNode, useState } from 'react'
import { ActionDialog } from '../shell/action-dialog.tsx'
import { Confirmation } from '../shell/confirmation.tsx'
import { useConsole } from '../shell/context.ts'
import { Copy } from '../shell/copy.tsx'
import { keyText } from '../text/key.ts'

const words = keyText.grants
const isArn = (text: string): boolean => /^arn:[\w-]+:(?:iam|sts)::\d{12}:./.test(text)

/** Operations that fit the key. */
function operationsOf({ KeyUsage, KeySpec }: KeyMetadata): readonly GrantOperation[] {
  const always: readonly GrantOperation[] = ['DescribeKey', 'CreateGrant', 'RetireGrant']
  if (KeyUsage === 'GENERATE_VERIFY_MAC') return ['GenerateMac', 'VerifyMac', ...always]
  if (KeyUsage === 'SIGN_VERIFY') return ['Sign', 'Verify', 'GetPublicKey', ...always]
  if (KeyUsage === 'KEY_AGREEMENT') return ['DeriveSharedSecret', 'GetPublicKey', ...always]
  if (KeyUsage === 'ENCAPSULATE_DECAPSULATE') {
    return ['Encapsulate', 'Decapsulate', 'GetPublicKey', ...always]
  }
  const encrypting: readonly GrantOperation[] = [
    'Encrypt',
    'Decrypt',
    'ReEncryptFrom',
    'ReEncryptTo',
  ]
  if (KeySpec !== 'SYMMETRIC_DEFAULT') return [...encrypting, 'GetPublicKey', ...always]
  return [
    ...encrypting,
    'GenerateDataKey',
    'GenerateDataKeyWithoutPlaintext',
    'GenerateDataKeyPair',
    'GenerateDataKeyPairWithoutPlaintext',
    ...always,
  ]
}

/** Reads `name=value` lines. Undefined when a line has another form. */
export function readPairs(text: string): Readonly<Record<string, string>> | undefined {
  const pairs: [string, string][] = []
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const at = line.indexOf('=')
    if (at < 1) return undefined
    pairs.push([line.slice(0, at), line.slice(at + 1)])
  }
  return Object.fromEntries(pairs)
}

export function CreateGrant(props: {
  readonly keyId: string
  readonly metadata: KeyMetadata
  readonly done: () => void
  readonly cancel: () => void
}): ReactNode {
  const { aws, region } = useConsole()
  const [grantee, setGrantee] = useState('')
  const [retiring, setRetiring] = useState('')
  const [name, setName] = useState('')
  const [operations, setOperations] = useState<readonly string[]>([])
  const [context, setContext] = useState('')
  const [tried, setTried] = useState(false)
  const [token, setToken] = useState<string>()
  const pairs = readPairs(context)
  const isWrong =
    !isArn(grantee) ||
    (retiring !== '' && !isArn(retiring)) ||
    operations.length === 0 ||
    pairs === undefined
  const act = async (): Promise<void> => {
    setTried(true)
    if (isWrong) return
    const { GrantToken } = await aws.run(KMSClient, region, (kms) =>
      kms.send(
        new CreateGrantCommand({
          KeyId: props.keyId,
          GranteePrincipal: grantee,
          Operations: operations as GrantOperation[], // of the options below
          ...(retiring !== '' && { RetiringPrincipal: retiring }),
          ...(name !== '' && { Name: name }),
          ...(context.trim() !== '' &&
            pairs && { Constraints: { EncryptionContextSubset: pairs } }),
        }),
      ),
    )
    setToken(GrantToken ?? '')
  }
  if (token !== undefined) {
    return (
      <Confirmation
        title={words.token}
        action={words.title}
        enabled
        running={false}
        cancel={props.done}
        confirm={props.done}
      >
        <SpaceBetween size="m">
          <span>{words.tokenHint}</span>
          <Copy value={token} />
        </SpaceBetween>
      </Confirmation>
    )
  }
  const options = operationsOf(props.metadata).map((value) => ({ value, label: value }))
  return (
    <ActionDialog title={words.create} act={act} cancel={props.cancel}>
      <FormField
        label={words.grantee}
        description={words.granteeHint}
        errorText={tried && !isArn(grantee) ? words.wrongArn : ''}
      >
        <Input value={grantee} onChange={({ detail }) => setGrantee(detail.value)} />
      </FormField>
      <FormField
        label={words.operations}
        errorText={tried && operations.length === 0 ? words.noOperations : ''}
      >
        <Multiselect
          options={options}
          selectedOptions={options.filter(({ value }) => operations.includes(value))}
          onChange={({ detail }) =>
            setOperations(detail.selectedOptions.map(({ value = '' }) => value))
          }
          placeholder={words.operations}
        />
      </FormField>
      <FormField
        label={words.retiring}
        description={words.retiringHint}
        errorText={tried && retiring !== '' && !isArn(retiring) ? words.wrongArn : ''}
      >
        <Input value={retiring} onChange={({ detail }) => setRetiring(detail.value)} />
      </FormField>
      <FormField label={words.name}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField
        label={words.context}
        description={words.contextHint}
        errorText={pairs === undefined ? words.wrongContext : ''}
      >
        <Textarea value={context} onChange={({ detail }) => setContext(detail.value)} rows={2} />
      </FormField>
    </ActionDialog>
  )
}
