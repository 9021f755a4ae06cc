/**
 * Renders validation failures in AWS's words.
 * Source: recorded answers of AWS KMS, for example
 * `1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be
 * null`.
 * @module
 */
import { KmsError } from '../errors.ts'
import type { Constraint, ShapeFailure } from '../model/shape.ts'

/**
 * Characters of one message. AWS repeats a value at any length. A value of a megabyte, or thousands of
 * failures, would make the answer larger than the request.
 */
export const messageCharactersMax = 16_384

/** A `ValidationException` for the failures, in the order found. At least one is needed. */
export function validationError(failures: readonly ShapeFailure[]): KmsError {
  if (failures.length === 0) throw new TypeError('a validation error needs a failure')
  const errors = failures.length === 1 ? 'error' : 'errors'
  let message = `${failures.length} validation ${errors} detected: `
  for (const [index, failure] of failures.entries()) {
    // Checked here, so that the part that is cut off is never built.
    if (message.length > messageCharactersMax) break
    message += `${index === 0 ? '' : '; '}${sentence(failure)}`
  }
  return new KmsError('ValidationException', cut(message))
}

/** Cuts a long message with `...`, never inside a surrogate pair. */
function cut(message: string): string {
  if (message.length <= messageCharactersMax) return message
  const kept = message.slice(0, messageCharactersMax - 3)
  return `${/[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept}...`
}

function sentence({ path, value, constraint }: ShapeFailure): string {
  const said = `Value ${valueText(value)}at '${path}' failed to satisfy constraint`
  return `${said}: Member must ${words(constraint)}`
}

function valueText(value: ShapeFailure['value']): string {
  // A secret, or bytes: the message does not even say whether it is present.
  if (value === null) return ''
  return value === undefined ? 'null ' : `'${value}' `
}

function words(constraint: Constraint): string {
  if (constraint.kind === 'required') return 'not be null'
  if (constraint.kind === 'pattern') {
    return `satisfy regular expression pattern: ${constraint.pattern}`
  }
  if (constraint.kind === 'enum') return `satisfy enum value set: [${constraint.values.join(', ')}]`
  return `have ${bounds[constraint.kind]} than or equal to ${constraint.limit}`
}

const bounds = {
  minLength: 'length greater',
  maxLength: 'length less',
  minValue: 'value greater',
  maxValue: 'value less',
} as const
