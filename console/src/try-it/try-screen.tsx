/** Try it: encrypt, decrypt, sign and verify, with the code for the same call. @module */
import {
  DecryptCommand,
  EncryptCommand,
  KMSClient,
  SignCommand,
  type SigningAlgorithmSpec,
  VerifyCommand,
} from '@aws-sdk/client-kms'
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import Input from '@cloudscape-design/components/input'
import SegmentedControl from '@cloudscape-design/components/segmented-control'
import Select from '@cloudscape-design/components/select'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Tabs from '@cloudscape-design/components/tabs'
import Textarea from '@cloudscape-design/components/textarea'
import { type ReactNode, useState } from 'react'
import type { Aws } from '../aws/aws.ts'
import { readPairs } from '../key/create-grant.tsx'
import { useAction } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Copy } from '../shell/copy.tsx'
import { Failed } from '../shell/failed.tsx'
import { base64Of, bytesOfBase64 } from '../shell/files.ts'
import { Panel } from '../shell/panel.tsx'
import type { ScreenProps } from '../shell/screens.ts'
import { tryText } from '../text/try-it.ts'
import { type Attempt, cliOf, javaScriptOf } from './code.ts'

const signingAlgorithms: readonly SigningAlgorithmSpec[] = [
  'ECDSA_SHA_256',
  'ECDSA_SHA_384',
  'ECDSA_SHA_512',
  'ED25519_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'ML_DSA_SHAKE_256',
]

const utf8 = (text: string): string => base64Of(new TextEncoder().encode(text))

export function TryScreen({ place }: ScreenProps): ReactNode {
  const { aws, region } = useConsole()
  const [operation, setOperation] = useState<Attempt['operation']>('encrypt')
  const [key, setKey] = useState(place.query.get('key') ?? '')
  const [data, setData] = useState('')
  const [signature, setSignature] = useState('')
  const [algorithm, setAlgorithm] = useState<SigningAlgorithmSpec>('ECDSA_SHA_256')
  const [context, setContext] = useState('')
  const [tried, setTried] = useState(false)
  const [result, setResult] = useState<string>()
  const pairs = readPairs(context)
  const isSigning = operation === 'sign' || operation === 'verify'
  const attempt: Attempt = {
    operation,
    key,
    data: operation === 'decrypt' ? data.trim() : utf8(data),
    signature: signature.trim(),
    algorithm,
    context: isSigning ? {} : (pairs ?? {}),
  }
  const badData = operation === 'decrypt' && bytesOfBase64(data) === undefined
  const badSignature = operation === 'verify' && bytesOfBase64(signature) === undefined
  const isWrong =
    key === '' || data === '' || badData || badSignature || (!isSigning && pairs === undefined)
  const { run, running, error } = useAction(async () => {
    setResult(undefined)
    setResult(await call(aws, region, attempt))
  })
  const dataLabel = isSigning
    ? tryText.message
    : operation === 'decrypt'
      ? tryText.ciphertext
      : tryText.plaintext
  const missing = (value: string): string => (tried && value === '' ? tryText.missing : '')
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={tryText.hint}>
        {tryText.title}
      </Header>
      <Container>
        <SpaceBetween size="m">
          <SegmentedControl
            label={tryText.operation}
            selectedId={operation}
            onChange={({ detail }) => {
              setOperation(detail.selectedId as Attempt['operation']) // an option below
              setResult(undefined)
            }}
            options={(['encrypt', 'decrypt', 'sign', 'verify'] as const).map((id) => ({
              id,
              text: tryText.operations[id],
            }))}
          />
          <FormField label={tryText.key} description={tryText.keyHint} errorText={missing(key)}>
            <Input value={key} onChange={({ detail }) => setKey(detail.value)} />
          </FormField>
          <FormField
            label={dataLabel}
            errorText={missing(data) || (data !== '' && badData ? tryText.notBase64 : '')}
            stretch
          >
            <Textarea value={data} rows={4} onChange={({ detail }) => setData(detail.value)} />
          </FormField>
          {operation === 'verify' && (
            <FormField
              label={tryText.signature}
              errorText={missing(signature) || (badSignature ? tryText.notBase64 : '')}
              stretch
            >
              <Textarea
                value={signature}
                rows={3}
                onChange={({ detail }) => setSignature(detail.value)}
              />
            </FormField>
          )}
          {isSigning ? (
            <FormField label={tryText.algorithm}>
              <Select
                options={signingAlgorithms.map((value) => ({ value, label: value }))}
                selectedOption={{ value: algorithm, label: algorithm }}
                onChange={
                  ({ detail }) => setAlgorithm(detail.selectedOption.value as SigningAlgorithmSpec) // an option above
                }
              />
            </FormField>
          ) : (
            <FormField
              label={tryText.context}
              description={tryText.contextHint}
              errorText={pairs === undefined ? tryText.wrongContext : ''}
            >
              <Textarea
                value={context}
                rows={2}
                onChange={({ detail }) => setContext(detail.value)}
              />
            </FormField>
          )}
          <Button
            variant="primary"
            loading={running}
            onClick={() => {
              setTried(true)
              if (!isWrong) run()
            }}
          >
            {tryText.run}
          </Button>
        </SpaceBetween>
      </Container>
      <Failed error={error} title={tryText.failed} />
      {result !== undefined && (
        <Panel title={tryText.result} actions={<Copy value={result} label={tryText.copy} />}>
          <Box variant="code">
            <div className="text" data-testid="result">
              {result}
            </div>
          </Box>
        </Panel>
      )}
      <Code attempt={attempt} region={region} />
    </SpaceBetween>
  )
}

function Code({
  attempt,
  region,
}: {
  readonly attempt: Attempt
  readonly region: string
}): ReactNode {
  const tab = (
    id: string,
    label: string,
    code: string,
  ): { id: string; label: string; content: ReactNode } => ({
    id,
    label,
    content: (
      <SpaceBetween size="s">
        <Copy value={code} label={tryText.copy} />
        <Box variant="code">
          <div className="text">{code}</div>
        </Box>
      </SpaceBetween>
    ),
  })
  return (
    <Panel title={tryText.same}>
      <Tabs
        tabs={[
          tab('cli', tryText.cli, cliOf(attempt, region)),
          tab('js', tryText.js, javaScriptOf(attempt, region)),
        ]}
      />
    </Panel>
  )
}

async function call(aws: Aws, region: string, attempt: Attempt): Promise<string> {
  const { operation, key: KeyId, data, signature, algorithm, context } = attempt
  const bytes = bytesOfBase64(data) ?? new Uint8Array()
  const SigningAlgorithm = algorithm as SigningAlgorithmSpec // of the list above
  const more = Object.keys(context).length > 0 ? { EncryptionContext: context } : {}
  // oxlint-disable-next-line typescript/consistent-return -- every operation returns in its case
  return aws.run(KMSClient, region, async (kms) => {
    switch (operation) {
      case 'encrypt': {
        const answer = await kms.send(new EncryptCommand({ KeyId, Plaintext: bytes, ...more }))
        return base64Of(answer.CiphertextBlob ?? new Uint8Array())
      }
      case 'decrypt': {
        const answer = await kms.send(new DecryptCommand({ KeyId, CiphertextBlob: bytes, ...more }))
        return shown(answer.Plaintext ?? new Uint8Array())
      }
      case 'sign': {
        const asked = { KeyId, Message: bytes, SigningAlgorithm }
        const answer = await kms.send(new SignCommand(asked))
        return base64Of(answer.Signature ?? new Uint8Array())
      }
      case 'verify': {
        const Signature = bytesOfBase64(signature) ?? new Uint8Array()
        const asked = { KeyId, Message: bytes, Signature, SigningAlgorithm }
        try {
          const { SignatureValid } = await kms.send(new VerifyCommand(asked))
          return SignatureValid === true ? tryText.valid : tryText.invalid
        } catch (error) {
          if (error instanceof Error && error.name === 'KMSInvalidSignatureException') {
            return tryText.invalid
          }
          throw error
        }
      }
    }
  })
}

function shown(plaintext: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plaintext)
  } catch {
    return `${tryText.binary}\n${base64Of(plaintext)}`
  }
}
