/** Ids of grants as callers write them. @module */
import { KmsError } from '../errors.ts'

/** @throws {KmsError} `InvalidGrantIdException` for what is the id of no grant */
export function readGrantId(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text
  throw new KmsError('InvalidGrantIdException', 'the grant id is not 64 lower-case hex digits')
}

/** For a grant that is not there, or is there no longer. */
export function grantNotFound(grantId: string): KmsError {
  return new KmsError('NotFoundException', `Grant '${grantId}' does not exist`)
}
