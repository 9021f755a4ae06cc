/**
 * Declares an operation of Trent's own: one that operators or the test API call, not AWS clients.
 * @module
 */
import type { Members } from '../../model/shape.ts'
import type { Operation } from '../contract/operation.ts'

export function insiderOperation<Output>() {
  return <const M extends Members>(
    definition: Omit<Operation<M, Output, never>, 'service' | 'keys'>,
  ): Operation<M, Output, never> => ({ service: 'trent', keys: {}, ...definition })
}
