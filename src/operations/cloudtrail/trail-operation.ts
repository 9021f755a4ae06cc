/** Declares an operation of CloudTrail. @module */
import type { Members } from '../../model/shape.ts'
import type { Drift, Operation } from '../contract/operation.ts'

/** Compilation fails if the definition differs from the official SDK's request or response. */
export function trailOperation<Request, Response>() {
  return <const M extends Members>(
    definition: Omit<Operation<M, Response, never>, 'service' | 'door' | 'keys'> &
      Drift<Request, M>,
  ): Operation<M, Response, never> => ({
    service: 'cloudtrail',
    door: 'signed',
    keys: {},
    ...definition,
  })
}
