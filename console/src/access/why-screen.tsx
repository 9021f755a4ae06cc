/** Why was this denied: a request id or an error message in, the statement that decided out. @module */
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import FormField from '@cloudscape-design/components/form-field'
import Header from '@cloudscape-design/components/header'
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs'
import SpaceBetween from '@cloudscape-design/components/space-between'
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import Textarea from '@cloudscape-design/components/textarea'
import type { ReactNode } from 'react'
import type { Aws } from '../aws/aws.ts'
import { askTrent } from '../aws/trent.ts'
import { whenRecorded } from '../aws/when-recorded.ts'
import { useAction, useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { useLinked } from '../shell/linked.ts'
import { Moment } from '../shell/moment.tsx'
import { Panel } from '../shell/panel.tsx'
import { hrefOf, replacePlace } from '../shell/router.ts'
import { Loading } from '../shell/screen.tsx'
import type { ScreenProps } from '../shell/screens.ts'
import { accessText } from '../text/access.ts'
import { text } from '../text/text.ts'
import { type CallExplanation, type Edit, editText, reasonText } from './answers.ts'
import { requestOf } from './request-of.ts'

async function explain(aws: Aws, region: string, requestId: string): Promise<CallExplanation> {
  const answer = await askTrent(aws, region, '/_trent/explain', { requestId })
  return answer as CallExplanation // its type
}

export function WhyScreen({ place }: ScreenProps): ReactNode {
  const { aws, region } = useConsole()
  const given = place.query.get('request') ?? ''
  const [input, setInput] = useLinked(given, given)
  const { run, running, error } = useAction(async () => {
    const request = await requestOf(aws, region, input)
    // What was pasted stays, although the link now names the call.
    setInput(input, request)
    replacePlace(hrefOf(region, ['why'], { request }))
  })
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={accessText.whyHint}>
        {accessText.why}
      </Header>
      <Container>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            run()
          }}
        >
          <SpaceBetween size="m">
            <FormField label={accessText.input} description={accessText.soon} stretch>
              <Textarea
                value={input}
                rows={3}
                spellcheck={false}
                onChange={({ detail }) => setInput(detail.value)}
              />
            </FormField>
            <Button variant="primary" loading={running} disabled={input.trim() === ''}>
              {accessText.explain}
            </Button>
          </SpaceBetween>
        </form>
      </Container>
      <Failed error={error} title={accessText.notFound} />
      {given !== '' && <Explained id={given} />}
    </SpaceBetween>
  )
}

function Explained({ id }: { readonly id: string }): ReactNode {
  const { aws, region } = useConsole()
  const { asked, again } = useAsked(`why ${id}`, () => whenRecorded(() => explain(aws, region, id)))
  if (asked.state === 'loading') return <Loading />
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={accessText.whyFailed} again={again} />
  }
  const { call, now, unasked } = asked.value
  return (
    <SpaceBetween size="l">
      <Panel title={accessText.call}>
        <SpaceBetween size="m">
          <KeyValuePairs
            columns={3}
            items={[
              { label: accessText.event, value: call.eventName },
              { label: accessText.caller, value: <span className="text">{call.caller}</span> },
              { label: accessText.at, value: <Moment at={new Date(call.eventTime)} /> },
              { label: accessText.error, value: call.errorCode ?? text.none },
            ]}
          />
          {call.errorMessage !== undefined && <div className="text">{call.errorMessage}</div>}
          <Box variant="awsui-key-label">{accessText.decided}</Box>
          {call.reasons.map((reason) => (
            <div className="text" key={`${reason.action} ${reasonText(reason)}`}>
              {reason.action}: {reasonText(reason)}
            </div>
          ))}
        </SpaceBetween>
      </Panel>
      <Panel title={accessText.now}>
        {now === undefined ? (
          `${accessText.unasked}: ${unasked ?? ''}`
        ) : (
          <SpaceBetween size="m">
            <StatusIndicator type={now.decision === 'allow' ? 'success' : 'error'}>
              {now.decision === 'allow' ? accessText.allowed : accessText.denied}
            </StatusIndicator>
            {now.reasons.map((reason) => (
              <div className="text" key={reasonText(reason)}>
                {reasonText(reason)}
              </div>
            ))}
            <Box variant="awsui-key-label">{accessText.change}</Box>
            {now.change === undefined ? accessText.noChange : <Way edits={now.change} />}
            {now.alternatives.length > 0 && (
              <Box variant="awsui-key-label">{accessText.alternatives}</Box>
            )}
            {now.alternatives.map((edits) => (
              <Way key={JSON.stringify(edits)} edits={edits} />
            ))}
          </SpaceBetween>
        )}
      </Panel>
    </SpaceBetween>
  )
}

function Way({ edits }: { readonly edits: readonly Edit[] }): ReactNode {
  return (
    <div>
      {edits.map((edit) => (
        <div key={JSON.stringify(edit)}>
          {editText(edit)}
          {edit.statement !== undefined && (
            <Box variant="code">
              <div className="text">{JSON.stringify(edit.statement, null, 2)}</div>
            </Box>
          )}
        </div>
      ))}
    </div>
  )
}
