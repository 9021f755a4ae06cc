/** Declares operations of IAM and STS, which use the AWS Query protocol. @module */
import type { Members } from '../../model/shape.ts'
import type { Drift, Operation } from './operation.ts'

type Definition<M extends Members, Response> = Omit<
  Operation<M, Response, never>,
  'service' | 'door' | 'keys'
> & { readonly door?: 'token' }

/** Compilation fails if the definition differs from the official SDK's request or response. */
export function iamOperation<Request, Response>() {
  return <const M extends Members>(
    definition: Definition<M, Response> & Drift<Request, M>,
  ): Operation<M, Response, never> => ({ service: 'iam', door: 'signed', keys: {}, ...definition })
}

/** The same as `iamOperation`, for STS. */
export function stsOperation<Request, Response>() {
  return <const M extends Members>(
    definition: Definition<M, Response> & Drift<Request, M>,
  ): Operation<M, Response, never> => ({ service: 'sts', door: 'signed', keys: {}, ...definition })
}
