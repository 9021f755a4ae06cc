/**
 * Declares an operation of Trent's own, for operators or the test API.
 * @module
 */
import type { Members } from '../../model/shape.ts'
import type { Operation } from '../contract/operation.ts'

export function trentOperation<Output>() {
  return <const M extends Members>(
    definition: Omit<Operation<M, Output, never>, 'service' | 'keys'>,
  ): Operation<M, Output, never> => ({ service: 'trent', keys: {}, ...definition })
}
