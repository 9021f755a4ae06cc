/** Who did what through the operator door, in the log: also while the audit journal is sealed. @module */
import type { Logger } from 'pino'
import { shownOperator } from '../model/operator.ts'
import { operatorOf } from '../operator/operators.ts'
import { serverRegistry } from '../operations/registry.ts'
import { readTarget } from '../wire/aws-json.ts'
import type { Handler } from '../wire/exchange.ts'
import type { RawRequest } from '../wire/request.ts'

const operations = serverRegistry({ testApi: false })

/** Logs each call that may change something, after its answer is made. Nothing of its input is logged. */
export function loggingChanges(log: Pick<Logger, 'info'>, handler: Handler): Handler {
  return async (request) => {
    const answer = await handler(request)
    const operation = changeOf(request)
    if (operation === undefined) return answer
    const operator = operatorOf(request)
    const who = operator === undefined ? 'unknown' : shownOperator(operator)
    log.info({ operator: who, operation, status: answer.status }, 'an operator called')
    return answer
  }
}

/** The operation that a request names, unless it only reads. */
function changeOf(request: RawRequest): string | undefined {
  try {
    const { operation } = readTarget(request)
    return operations.get(`trent:${operation}`)?.readOnly === true ? undefined : operation
  } catch {
    return undefined // names none
  }
}
