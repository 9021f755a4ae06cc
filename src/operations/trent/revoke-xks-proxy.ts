/**
 * RevokeXksProxy — `trent xks-proxy revoke`: ends one credential of an XKS proxy, the export of one key, or
 * the whole proxy. The keys stay, and open everything again once they are exported again.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { text } from '../../model/shape.ts'
import type { ServedProxyRecord } from '../../model/served-proxy.ts'
import type { Transaction } from '../../store/store.ts'
import { concernedProxy, keyId, presentProxy, proxyId } from './served-proxies.ts'
import { trentOperation } from './trent-operation.ts'

export interface RevokedXksProxy {
  readonly proxyId: string
  readonly accessKeyId?: string
  readonly keyId?: string
}

export const revokeXksProxy = trentOperation<RevokedXksProxy>()({
  name: 'RevokeXksProxy',
  door: 'operator',
  input: { proxyId, accessKeyId: text({ min: 20, max: 30, pattern: '[A-Z2-7]+' }), keyId },
  permissions: () => [{ action: 'trent:RevokeXksProxy' }],
  readOnly: false,
  audit: ['proxyId', 'accessKeyId', 'keyId'],
  throws: ['ValidationException', 'AccessDeniedException', 'NotFoundException'],
  check(input) {
    if (input.accessKeyId === undefined || input.keyId === undefined) return
    throw new KmsError('ValidationException', 'name a credential or a key, not both')
  },
  async run(call, { store }) {
    const { input } = call
    call.concerning(concernedProxy(await presentProxy(store, input.proxyId), call))
    return call.commit(async (transaction) => {
      const proxy = await presentProxy(transaction, input.proxyId)
      if (input.accessKeyId !== undefined) {
        await revokeCredential(transaction, proxy, input.accessKeyId)
      } else if (input.keyId !== undefined) {
        await withdrawKey(transaction, proxy, input.keyId)
      } else await deleteProxy(transaction, proxy)
      return input
    })
  },
})

/** @throws {KmsError} `NotFoundException` */
async function revokeCredential(
  transaction: Transaction,
  proxy: ServedProxyRecord,
  accessKeyId: string,
): Promise<void> {
  const all = await transaction.listProxyCredentials(proxy)
  const found = all.find((each) => each.accessKeyId === accessKeyId)
  if (found === undefined) {
    throw new KmsError('NotFoundException', `The XKS proxy has no credential ${accessKeyId}`)
  }
  await transaction.deleteProxyCredential(found)
}

/** @throws {KmsError} `NotFoundException` */
async function withdrawKey(
  transaction: Transaction,
  { proxyId: id }: ServedProxyRecord,
  key: string,
): Promise<void> {
  const found = await transaction.findExportedKey({ proxyId: id, keyId: key })
  if (found === undefined) {
    throw new KmsError('NotFoundException', `The XKS proxy does not export ${key}`)
  }
  await transaction.deleteExportedKey(found)
}

async function deleteProxy(transaction: Transaction, proxy: ServedProxyRecord): Promise<void> {
  for (const each of await transaction.listProxyCredentials(proxy)) {
    await transaction.deleteProxyCredential(each)
  }
  for (const each of await transaction.listExportedKeys(proxy)) {
    await transaction.deleteExportedKey(each)
  }
  await transaction.deleteServedProxy(proxy)
}
