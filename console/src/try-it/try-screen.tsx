/** Try it: encrypt, decrypt, sign and verify, with the code for the same call. @module */
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms'
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
import { readPairs } from '../key/create-grant.tsx'
import { useAction, useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Copy } from '../shell/copy.tsx'
import { Failed } from '../shell/failed.tsx'
import { base64Of, bytesOfBase64 } from '../shell/files.ts'
import { useLinked } from '../shell/linked.ts'
import { Panel } from '../shell/panel.tsx'
import type { ScreenProps } from '../shell/screens.ts'
import { tryText } from '../text/try-it.ts'
import { algorithmsOf, call } from './call.ts'
import { type Attempt, cliOf, javaScriptOf } from './code.ts'

const utf8 = (text: string): string => base64Of(new TextEncoder().encode(text))

export function TryScreen({ place }: ScreenProps): ReactNode {
  const { aws, region } = useConsole()
  const [operation, setOperation] = useState<Attempt['operation']>('encrypt')
  const linked = place.query.get('key') ?? ''
  const [key, setKey] = useLinked(linked, linked)
  const [data, setData] = useState('')
  const [signature, setSignature] = useState('')
  const [chosen, setChosen] = useState('')
  const [context, setContext] = useState('')
  const [tried, setTried] = useState(false)
  const [result, setResult] = useState<string>()
  // Not at every letter: the key is described when the user leaves its field.
  const [described, setDescribed] = useLinked(linked, linked)
  const { asked } = useAsked(`try ${described}`, async () => {
    const KeyId = described.trim()
    if (KeyId === '') return undefined
    const { KeyMetadata } = await aws.run(KMSClient, region, (kms) =>
      kms.send(new DescribeKeyCommand({ KeyId })),
    )
    return KeyMetadata
  })
  const metadata = asked.state === 'here' && described === key ? asked.value : undefined
  const algorithms = algorithmsOf(operation, metadata)
  const algorithm = algorithms.find((each) => each === chosen) ?? algorithms[0] ?? ''
  const pairs = readPairs(context)
  const isSigning = operation === 'sign' || operation === 'verify'
  const hasContext = algorithm === 'SYMMETRIC_DEFAULT'
  const attempt: Attempt = {
    operation,
    key,
    data: operation === 'decrypt' ? data.trim() : utf8(data),
    signature: signature.trim(),
    algorithm,
    context: hasContext ? (pairs ?? {}) : {},
  }
  const badData = operation === 'decrypt' && bytesOfBase64(data) === undefined
  const badSignature = operation === 'verify' && bytesOfBase64(signature) === undefined
  const isWrong =
    key === '' || data === '' || badData || badSignature || (hasContext && pairs === undefined)
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
            <Input
              value={key}
              onChange={({ detail }) => setKey(detail.value)}
              onBlur={() => setDescribed(key)}
            />
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
          <FormField label={tryText.algorithm}>
            <Select
              options={algorithms.map((value) => ({ value, label: value }))}
              selectedOption={{ value: algorithm, label: algorithm }}
              onChange={({ detail }) => setChosen(detail.selectedOption.value ?? '')}
            />
          </FormField>
          {hasContext && (
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
