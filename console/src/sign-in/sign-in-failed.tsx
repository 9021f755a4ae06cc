/** Why a sign-in failed. @module */
import Alert from '@cloudscape-design/components/alert'
import type { ReactNode } from 'react'
import { failureOf } from '../aws/failure.ts'
import { signInText } from '../text/sign-in.ts'
import { text } from '../text/text.ts'

export function SignInFailed({ error }: { readonly error: unknown }): ReactNode {
  const { code, message, requestId } = failureOf(error)
  return (
    <Alert type="error" header={signInText.failed}>
      {code === 'Error' ? message : `${code}: ${message}`}
      {requestId !== undefined && ` (${text.requestId} ${requestId})`}
    </Alert>
  )
}
