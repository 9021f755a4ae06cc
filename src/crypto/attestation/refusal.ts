/** The error for an attestation document that proves nothing. @module */
import { KmsError } from '../../errors.ts'

/**
 * @param reason Trent's own words, because AWS's are unknown. It must quote nothing from the
 * document.
 */
export function documentRefused(reason: string): KmsError {
  return new KmsError('ValidationException', `the attestation document is refused: ${reason}`)
}
