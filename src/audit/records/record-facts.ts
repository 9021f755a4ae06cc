/**
 * The members of a record that the event index and metrics read, as one text. They are known when the
 * record is made, so that nobody parses the record for them.
 * @module
 */
import { lowerFirst } from '../../model/shape.ts'
import type { Operation } from '../../operations/contract/operation.ts'
import type { Audited } from './audited.ts'

/** Parameters with facts: names of resources, and the spec of a key pair. */
const parameterNames: ReadonlySet<string> = new Set([
  'keyId',
  'destinationKeyId',
  'aliasName',
  'targetKeyId',
  'keyPairSpec',
  'userName',
  'roleName',
  'groupName',
  'policyArn',
  'accessKeyId',
])

/** Open members of a record, and those without facts. */
const withoutFacts: ReadonlySet<string> = new Set([
  'eventTime',
  'eventID',
  'requestID',
  'requestParameters',
  'sourceIPAddress',
  'userAgent',
  'additionalEventData',
  'tlsDetails',
  'trent',
])

/**
 * The facts of calls that share a template, up to the facts of their parameters.
 * @param record JSON of a record with a text in place of its parameters
 */
export function commonFacts(record: string): string {
  const facts = Object.entries(JSON.parse(record) as object).filter(
    ([name]) => !withoutFacts.has(name),
  )
  return `${JSON.stringify(Object.fromEntries(facts)).slice(0, -1)},"requestParameters":`
}

/** @returns `members` of `RecordFacts` */
export function factsOfCall(common: string, { input, operation }: Audited): string {
  let parameters = ''
  for (const { given, before } of parametersWithFacts(operation)) {
    const value = input?.[given]
    if (typeof value === 'string') parameters += before + JSON.stringify(value)
  }
  return `${common}{${parameters.slice(1)}}}`
}

interface FactParameter {
  /** In the input. */
  readonly given: string
  /** JSON up to the value. */
  readonly before: string
}

const parametersByOperation = new WeakMap<Operation, readonly FactParameter[]>()

function parametersWithFacts(operation: Operation): readonly FactParameter[] {
  const known = parametersByOperation.get(operation)
  if (known !== undefined) return known
  const parameters = operation.audit.flatMap((given) => {
    const name = lowerFirst(given)
    return parameterNames.has(name) ? [{ given, before: `,"${name}":` }] : []
  })
  parametersByOperation.set(operation, parameters)
  return parameters
}
