/** The one error of an attestation document that proves nothing. @module */
import { KmsError } from '../../errors.ts'

/** @param reason in our words: AWS's are not known. Nothing of the document is quoted in it. */
export function documentRefused(reason: string): KmsError {
  return new KmsError('ValidationException', `the attestation document is refused: ${reason}`)
}
