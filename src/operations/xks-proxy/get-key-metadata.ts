/**
 * GetKeyMetadata of the XKS proxy API — tells what an exported key is and can be used for.
 * @see https://github.com/aws/aws-kms-xksproxy-api-spec
 * @module
 */
import { KmsError } from '../../errors.ts'
import { anyState, usableStates } from '../../model/key-state.ts'
import type { ExternalUsage } from '../../model/served-proxy.ts'
import { calledKey, externalKeyId, keyMetadata, xksOperation } from './request-metadata.ts'

export interface ExternalKeyMetadata {
  readonly keySpec: 'AES_256'
  readonly keyUsage: readonly ExternalUsage[]
  readonly keyStatus: 'ENABLED' | 'DISABLED'
}

export const getKeyMetadata = xksOperation<ExternalKeyMetadata>()({
  name: 'GetKeyMetadata',
  input: { externalKeyId, requestMetadata: keyMetadata },
  keys: {
    key: { ...calledKey, action: 'kms-xks-proxy:GetKeyMetadata', states: anyState },
  },
  audit: ['externalKeyId', 'requestMetadata'],
  throws: [
    'UnknownOperationException',
    'InvalidSignatureException',
    'ValidationException',
    'NotFoundException',
    'ThrottlingException',
    'AccessDeniedException',
  ],
  async run({ keys: { key }, caller }, { store }) {
    const exported = await store.findExportedKey({ proxyId: caller.uniqueId, keyId: key.keyId })
    if (exported === undefined) throw new KmsError('NotFoundException')
    return {
      keySpec: 'AES_256',
      keyUsage: exported.usages,
      keyStatus: usableStates.includes(key.state) ? 'ENABLED' : 'DISABLED',
    }
  },
})
