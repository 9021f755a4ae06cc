/**
 * ExportXksKey — `trent xks-proxy export`: lets the clients of an XKS proxy use a key, or changes what for.
 * @module
 */
import { required } from '../../model/shape.ts'
import type { ExternalUsage } from '../../model/served-proxy.ts'
import {
  concernedProxy,
  exportKey,
  keyId,
  presentProxy,
  proxyId,
  usages,
} from './served-proxies.ts'
import { trentOperation } from './trent-operation.ts'

export interface ShownExport {
  readonly proxyId: string
  readonly keyId: string
  readonly usages: readonly ExternalUsage[]
}

export const exportXksKey = trentOperation<ShownExport>()({
  name: 'ExportXksKey',
  door: 'operator',
  input: { proxyId, keyId: required(keyId), usages: required(usages) },
  permissions: () => [{ action: 'trent:ExportXksKey' }],
  readOnly: false,
  audit: ['proxyId', 'keyId', 'usages'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NotFoundException',
    'LimitExceededException',
  ],
  async run(call, { clock, store }) {
    const { input } = call
    call.concerning(concernedProxy(await presentProxy(store, input.proxyId), call))
    return call.commit(async (transaction) => {
      const proxy = await presentProxy(transaction, input.proxyId)
      const given = { key: input.keyId, usages: input.usages, now: clock.now() }
      const exported = await exportKey(transaction, proxy, given)
      return { proxyId: proxy.proxyId, keyId: exported.keyId, usages: exported.usages }
    })
  },
})
