/**
 * Reads the input of a call from its bytes and checks it against the operation's shape. @module
 * @module
 */
import { KmsError } from '../errors.ts'
import { readInput, ShapeMismatch } from '../model/shape.ts'
import type { Operation } from '../operations/contract/operation.ts'
import { protocolOf } from './protocol.ts'
import type { RawRequest } from './request.ts'
import { validationError } from './validation-message.ts'

/** @throws {KmsError} `SerializationException`, `ValidationException` */
export function readCallInput(
  operation: Operation,
  request: RawRequest,
): Readonly<Record<string, unknown>> {
  try {
    const given = protocolOf(request).readInput(request, operation.input)
    const { input, failures } = readInput(operation.input, given)
    if (failures.length > 0) throw validationError(failures)
    return input
  } catch (error) {
    if (error instanceof ShapeMismatch) throw new KmsError('SerializationException')
    throw error
  }
}
