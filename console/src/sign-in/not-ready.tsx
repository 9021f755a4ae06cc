/** Says before the sign-in why the server does not serve calls. It looks again until it does. @module */
import Alert from '@cloudscape-design/components/alert'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useEffect } from 'react'
import { readReadiness } from '../server/readiness.ts'
import { UnsealHint } from '../server/unseal-hint.tsx'
import { useAsked } from '../shell/asked.ts'
import { serverText } from '../text/server.ts'

/** Milliseconds. */
const againMs = 3000
/** What `/readyz` says of a server whose root key nobody has opened yet. */
const sealedReason = 'the root key is not open'

export function NotReady(): ReactNode {
  const { asked, again } = useAsked('readiness', readReadiness)
  const isReady = asked.state === 'here' && asked.value.ready
  useEffect(() => {
    if (isReady) return undefined
    const timer = setInterval(again, againMs)
    return () => clearInterval(timer)
  }, [isReady, again])
  if (isReady || asked.state === 'loading') return null
  const reasons = asked.state === 'here' ? asked.value.reasons : [serverText.noAnswer]
  return (
    <Alert type="warning" header={serverText.notServing}>
      <SpaceBetween size="xs">
        {reasons.map((why) => (
          <div key={why}>{why}</div>
        ))}
        {reasons.includes(sealedReason) && <UnsealHint />}
        <div>{serverText.looking}</div>
      </SpaceBetween>
    </Alert>
  )
}
