/**
 * RotateXksProxyCredential — `trent xks-proxy rotate-credential`: adds a credential to an XKS proxy. The
 * others stay live until they are revoked, so that the client can change over. The secret is returned only
 * here.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { servedProxyLimits } from '../../model/served-proxy.ts'
import {
  concernedProxy,
  configurationOf,
  presentProxy,
  proxyId,
  proxyLimits,
  type ProxyConfiguration,
} from './served-proxies.ts'
import { trentOperation } from './trent-operation.ts'

export interface RotatedCredential {
  readonly proxyId: string
  /** The credentials that were live before, oldest first. */
  readonly otherAccessKeyIds: readonly string[]
  readonly configuration: ProxyConfiguration
}

export const rotateXksProxyCredential = trentOperation<RotatedCredential>()({
  name: 'RotateXksProxyCredential',
  door: 'operator',
  input: { proxyId, limits: proxyLimits },
  permissions: () => [{ action: 'trent:RotateXksProxyCredential' }],
  readOnly: false,
  audit: ['proxyId', 'limits'],
  auditResponse: ({ configuration }) => ({
    accessKeyId: configuration.XksProxyAuthenticationCredential.AccessKeyId,
  }),
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NotFoundException',
    'LimitExceededException',
  ],
  async run(call, { clock, store, newProxyCredential }) {
    const { limits } = call.input
    const proxy = await presentProxy(store, call.input.proxyId)
    const credential = newProxyCredential(proxy)
    call.concerning(concernedProxy(proxy, call))
    return call.commit(async (transaction) => {
      await presentProxy(transaction, proxy.proxyId)
      const others = await transaction.listProxyCredentials(proxy)
      if (others.length >= servedProxyLimits.credentials) {
        const most = servedProxyLimits.credentials
        const message = `the XKS proxy has ${most} credentials: revoke one of them first`
        throw new KmsError('LimitExceededException', message)
      }
      const createdAt = clock.now()
      const record = { ...credential.record, ...(limits && { limits }), createdAt }
      await transaction.insertProxyCredential(record)
      return {
        proxyId: proxy.proxyId,
        otherAccessKeyIds: others.map(({ accessKeyId }) => accessKeyId),
        configuration: configurationOf(proxy, credential),
      }
    })
  },
})
