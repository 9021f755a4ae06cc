/**
 * Where in a file something is wrong. A refusal's message begins with a pointer, `#/accounts/0/users/1`, each
 * step of which is escaped as in a URI: who has read the file turns it into a line and a column.
 * @module
 */
import { type ErrorCode, KmsError } from '../../../errors.ts'

/** Member names and list positions, from the top of the document. */
export type Place = readonly (string | number)[]

export function pointerOf(place: Place): string {
  return `#${place.map((step) => `/${encodeURIComponent(step)}`).join('')}`
}

/** A refusal at a place of the document. */
export function refusalAt(
  place: Place,
  message: string,
  code: ErrorCode = 'ValidationException',
): KmsError {
  return new KmsError(code, `${pointerOf(place)} ${message}`)
}

const placedPattern = /^#(\/\S*)? /

/** Gives what `work` refuses its place, unless that is known already. */
export async function placed<T>(place: Place, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof KmsError) || placedPattern.test(error.message)) throw error
    throw refusalAt(place, error.message === '' ? error.code : error.message, error.code)
  }
}
