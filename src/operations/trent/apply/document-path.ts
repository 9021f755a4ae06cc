/**
 * Paths into the applied document, and refusals that name one. A refusal's message begins with a JSON
 * pointer in a URI fragment, such as `#/accounts/0/users/1`. The command turns the pointer into a line and
 * a column.
 * @module
 */
import { type ErrorCode, KmsError } from '../../../errors.ts'

/** Member names and list positions, from the top of the document. */
export type DocumentPath = readonly (string | number)[]

export function pointerOf(place: DocumentPath): string {
  return `#${place.map((step) => `/${encodeURIComponent(step)}`).join('')}`
}

/** Creates an error at a place in the document. */
export function refusalAt(
  place: DocumentPath,
  message: string,
  code: ErrorCode = 'ValidationException',
): KmsError {
  return new KmsError(code, `${pointerOf(place)} ${message}`)
}

const placedPattern = /^#(\/\S*)? /

/** Adds the place to an error of `work` that has none. */
export async function placed<T>(place: DocumentPath, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof KmsError) || placedPattern.test(error.message)) throw error
    throw refusalAt(place, error.message === '' ? error.code : error.message, error.code)
  }
}
