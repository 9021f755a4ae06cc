/**
 * Decrypt of the XKS proxy API — opens what Encrypt of this API sealed, under any of the key's materials.
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

export const decrypt = xksOperation<{ readonly plaintext: Uint8Array }>()({
  name: 'Decrypt',
  input: {
    externalKeyId,
    requestMetadata: useMetadata,
    additionalAuthenticatedData: blob({ min: 0, max: Infinity }),
    ciphertext: required(blob({ min: 1, max: Infinity })),
    ciphertextMetadata: blob({ min: 0, max: 20 }),
    encryptionAlgorithm: required(oneOf(['AES_GCM'])),
    initializationVector: required(blob({ min: 12, max: 16 })),
    authenticationTag: required(blob({ min: 16, max: 16 })),
  },
  keys: { key: { ...usedKey, action: 'kms-xks-proxy:Decrypt' } },
  tracksUsage: 'Decrypt',
  audit: ['externalKeyId', 'requestMetadata'],
  throws: [...useErrors, 'InvalidCiphertextException', 'KeyUnavailableException'],
  check({ ciphertext, additionalAuthenticatedData, initializationVector: { length } }) {
    requireSizes(ciphertext, additionalAuthenticatedData)
    if (length === 12 || length === 16) return
    throw new KmsError('ValidationException', 'an initialization vector has 12 or 16 bytes')
  },
  async run({ input, keys: { key }, signal, usesMaterials }, { proxyMessages }) {
    const parts = {
      ciphertext: input.ciphertext,
      iv: input.initializationVector,
      tag: input.authenticationTag,
      metadata: input.ciphertextMetadata ?? new Uint8Array(0),
    }
    const aad = input.additionalAuthenticatedData ?? new Uint8Array(0)
    const { plaintext, materialId } = await proxyMessages.decrypt(key, aad, parts, signal)
    usesMaterials({ keyMaterialId: materialId })
    return { plaintext }
  },
})
