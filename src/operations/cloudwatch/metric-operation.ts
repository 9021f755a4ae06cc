/** Declares an operation of CloudWatch. @module */
import type { Members } from '../../model/shape.ts'
import type { Drift, Operation } from '../contract/operation.ts'

/** Checked at compile time against the official SDK's request and response. */
export function metricOperation<Request, Response>() {
  return <const M extends Members>(
    definition: Omit<Operation<M, Response, never>, 'service' | 'door' | 'keys'> &
      Drift<Request, M>,
  ): Operation<M, Response, never> => ({
    service: 'monitoring',
    door: 'signed',
    keys: {},
    ...definition,
  })
}
