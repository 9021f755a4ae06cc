/** Checks grant ids that callers write. @module */
import { KmsError } from '../errors.ts'

/** @throws {KmsError} `InvalidGrantIdException` when `text` is not the form of a grant id */
export function readGrantId(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text
  throw new KmsError('InvalidGrantIdException', 'the grant id is not 64 lower-case hex digits')
}

/** The error for a grant that does not exist, or no longer exists. */
export function grantNotFound(grantId: string): KmsError {
  return new KmsError('NotFoundException', `Grant '${grantId}' does not exist`)
}
