/** How a failed call is shown: AWS's code, message and request id, with "why" one click away. @module */
import Alert from '@cloudscape-design/components/alert'
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Link from '@cloudscape-design/components/link'
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { ReactNode } from 'react'
import { failureOf } from '../aws/failure.ts'
import { text } from '../text/text.ts'
import { useConsole } from './context.ts'
import { hrefOf } from './router.ts'

export function Failed({
  error,
  title,
  again,
}: {
  readonly error: unknown
  readonly title: string
  readonly again?: (() => void) | undefined
}): ReactNode {
  const { region } = useConsole()
  if (error === undefined) return null
  return (
    <Alert
      type="error"
      header={title}
      action={again && <Button onClick={again}>{text.again}</Button>}
    >
      <Failure error={error} region={region} />
    </Alert>
  )
}

/** What a failed call says, for a place that has a title of its own. */
export function Failure({
  error,
  region,
  onColor = false,
}: {
  readonly error: unknown
  readonly region: string
  /** The place has the colour of an error, as messages at the top of the page have. */
  readonly onColor?: boolean
}): ReactNode {
  const { code, message, requestId, isRefusal } = failureOf(error)
  return (
    <SpaceBetween size="xxs">
      <div className="text">
        <strong>{code}</strong>
        {message === '' ? '' : `: ${message}`}
      </div>
      {requestId !== undefined && (
        <Box fontSize="body-s" color={onColor ? 'inherit' : 'text-body-secondary'}>
          {text.requestId} <code>{requestId}</code>
        </Box>
      )}
      {isRefusal && requestId !== undefined && (
        <Link
          color={onColor ? 'inverted' : 'normal'}
          href={hrefOf(region, ['why'], { request: requestId })}
        >
          {text.why}
        </Link>
      )}
    </SpaceBetween>
  )
}
