/**
 * Calls of services that are not here, such as S3. A client sends them when `AWS_ENDPOINT_URL`, which
 * applies to every service, names this server. The refusal says which variable to set instead.
 * @module
 */
import { KmsError } from '../errors.ts'
import { jsonServices } from './aws-json.ts'
import { queryServices } from './aws-query.ts'
import { firstHeader } from './headers.ts'
import type { RequestLine } from './request.ts'

const scope = /^AWS4-HMAC-SHA256 Credential=[^/,\s]+\/\d{8}\/[a-z0-9-]{1,32}\/([a-z0-9-]{1,32})\//

/** The service that a request was signed for, if it is none of this server. */
export function foreignService({
  listener,
  rawHeaders,
}: Pick<RequestLine, 'listener' | 'rawHeaders'>): string | undefined {
  if (listener !== 'public') return undefined
  const [, service] = scope.exec(firstHeader(rawHeaders, 'authorization') ?? '') ?? []
  const isHere = [...jsonServices, ...queryServices].some((each) => each === service)
  return isHere ? undefined : service
}

export function foreignMessage(service: string): string {
  const set = 'set AWS_ENDPOINT_URL_KMS instead of AWS_ENDPOINT_URL'
  return `this is a key management service, and ${service} is not here: ${set} to reach both`
}

/** Adds the message to the error of a call of a service that is not known. */
export function withForeign<Request extends RequestLine, Target>(
  readTarget: (request: Request) => Target,
): (request: Request) => Target {
  return (request) => {
    try {
      return readTarget(request)
    } catch (error) {
      const isUnknown = error instanceof KmsError && error.code === 'UnknownOperationException'
      const service = isUnknown ? foreignService(request) : undefined
      if (service === undefined) throw error
      throw new KmsError('UnknownOperationException', foreignMessage(service))
    }
  }
}
