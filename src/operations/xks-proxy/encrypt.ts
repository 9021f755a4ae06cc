/**
 * Encrypt of the XKS proxy API — encrypts up to 4,300 bytes under a key of a label of its own.
 * @see https://github.com/aws/aws-kms-xksproxy-api-spec
 * @module
 */
import { KmsError } from '../../errors.ts'
import { blob, oneOf, required } from '../../model/shape.ts'
import {
  externalKeyId,
  requireSizes,
  usedKey,
  useErrors,
  useMetadata,
  xksOperation,
} from './request-metadata.ts'

export interface ExternalEncryption {
  readonly ciphertext: Uint8Array
  readonly initializationVector: Uint8Array
  readonly authenticationTag: Uint8Array
  readonly ciphertextMetadata: Uint8Array
  /** SHA-256, if the request asks for it. */
  readonly ciphertextDataIntegrityValue?: Uint8Array
}

export const encrypt = xksOperation<ExternalEncryption>()({
  name: 'Encrypt',
  input: {
    externalKeyId,
    requestMetadata: useMetadata,
    additionalAuthenticatedData: blob({ min: 0, max: Infinity }),
    plaintext: required(blob({ min: 1, max: Infinity, sensitive: true })),
    encryptionAlgorithm: required(oneOf(['AES_GCM'])),
    ciphertextDataIntegrityValueAlgorithm: oneOf(['SHA_256']),
  },
  keys: { key: { ...usedKey, action: 'kms-xks-proxy:Encrypt' } },
  tracksUsage: 'Encrypt',
  audit: ['externalKeyId', 'requestMetadata'],
  throws: [...useErrors, 'KeyUnavailableException'],
  check: ({ plaintext, additionalAuthenticatedData }) =>
    requireSizes(plaintext, additionalAuthenticatedData),
  async run({ input, keys: { key }, signal, usesMaterials }, { proxyMessages }) {
    const aad = input.additionalAuthenticatedData ?? new Uint8Array(0)
    const { parts, materialId } = await proxyMessages.encrypt(key, aad, input.plaintext, signal)
    usesMaterials({ keyMaterialId: materialId })
    const answer = {
      ciphertext: parts.ciphertext,
      initializationVector: parts.iv,
      authenticationTag: parts.tag,
      ciphertextMetadata: parts.metadata,
    }
    if (input.ciphertextDataIntegrityValueAlgorithm === undefined) return answer
    // First the value and then the check, as the specification says: a bit that flips between the two shows.
    const ciphertextDataIntegrityValue = proxyMessages.integrityValue(aad, parts)
    const { plaintext } = await proxyMessages.decrypt(key, aad, parts, signal)
    const isWhole = plaintext.equals(input.plaintext)
    plaintext.fill(0)
    if (!isWhole) throw new KmsError('KMSInternalException')
    return { ...answer, ciphertextDataIntegrityValue }
  },
})
