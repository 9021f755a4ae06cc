/** What a failed call tells the user: AWS's code and message, and the request id. @module */
import { text } from '../text/text.ts'

export interface Failure {
  readonly code: string
  readonly message: string
  readonly requestId?: string
  /** A statement of a policy decided, so the console can explain it. */
  readonly isRefusal: boolean
}

interface ServiceError extends Error {
  readonly $metadata?: { readonly requestId?: string; readonly httpStatusCode?: number }
}

const refusals: ReadonlySet<string> = new Set(['AccessDeniedException', 'AccessDenied'])

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'Error', message: String(error), isRefusal: false }
  const { $metadata, name, message }: ServiceError = error
  if ($metadata?.httpStatusCode === undefined && error instanceof TypeError) {
    // The browser tells no more about a request that got no answer.
    return { code: 'NetworkError', message: text.unreachable, isRefusal: false }
  }
  const requestId = $metadata?.requestId
  return {
    code: name,
    message,
    ...(requestId !== undefined && { requestId }),
    isRefusal: refusals.has(name),
  }
}
