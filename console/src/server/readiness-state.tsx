/** Whether the server is ready, and why it is not. @module */
import StatusIndicator from '@cloudscape-design/components/status-indicator'
import type { ReactNode } from 'react'
import type { Asked } from '../shell/asked.ts'
import { serverText } from '../text/server.ts'
import { text } from '../text/text.ts'
import type { Readiness } from './readiness.ts'

export function ReadinessState({ asked }: { readonly asked: Asked<Readiness> }): ReactNode {
  if (asked.state === 'loading')
    return <StatusIndicator type="loading">{text.loading}</StatusIndicator>
  if (asked.state === 'failed') {
    return <StatusIndicator type="error">{serverText.noAnswer}</StatusIndicator>
  }
  const { ready, reasons } = asked.value
  return (
    <>
      <StatusIndicator type={ready ? 'success' : 'error'}>
        {ready ? serverText.ready : serverText.notReady}
      </StatusIndicator>
      {reasons.map((why) => (
        <div key={why}>{why}</div>
      ))}
    </>
  )
}
