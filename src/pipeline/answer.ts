/** Step 9: the answer of a request. @module */
import { KmsError } from '../errors.ts'
import { protocolOf } from '../wire/protocol.ts'
import type { RawResponse } from '../wire/request.ts'
import type { PipelineDependencies } from './dependencies.ts'
import { StepFailed } from './stage-list.ts'
import type { Answered, Failed, Reached } from './stages.ts'

type AnswerDependencies = Pick<PipelineDependencies, 'meter' | 'log' | 'logAnswer'>

export function answer(settled: Answered | Failed, dependencies: AnswerDependencies): RawResponse {
  if (settled instanceof StepFailed) return refuse(settled.reached, settled.cause, dependencies)
  const { request, requestId, target, output, operation, startedAt } = settled
  try {
    const response = protocolOf(request).renderAnswer(output, requestId, target)
    const took = performance.now() - startedAt
    dependencies.meter.answered(operation, 'success', took)
    dependencies.logAnswer?.(settled, 'success', took)
    return response
  } catch (error) {
    return refuse(settled, error, dependencies)
  }
}

function refuse(
  reached: Reached,
  error: unknown,
  { meter, log, logAnswer }: AnswerDependencies,
): RawResponse {
  const { request, requestId, target, operation, startedAt } = reached
  // Callers may hang up as often as they like: that is no failure of ours.
  const hungUp = request.signal.aborted && error === request.signal.reason
  const expected = error instanceof KmsError ? error.code : undefined
  if (hungUp) log.debug({ requestId }, 'the caller hung up')
  else if (expected === undefined) log.error({ err: error, requestId }, 'request failed')
  const outcome = hungUp ? 'hung-up' : (expected ?? 'KMSInternalException')
  const took = performance.now() - startedAt
  meter.answered(operation, outcome, took)
  logAnswer?.(reached, outcome, took)
  return protocolOf(request).renderError(error, requestId, target)
}
