/**
 * CreateXksProxy — `trent xks-proxy create`: serves an XKS proxy for keys of an account, with a first
 * credential. The secret is returned only here.
 * @see docs/custom-key-stores.md
 * @module
 */
import { KmsError } from '../../errors.ts'
import { servedProxyLimits } from '../../model/served-proxy.ts'
import { list, required, structure, text } from '../../model/shape.ts'
import { DuplicateRow } from '../../store/store.ts'
import {
  concernedProxy,
  configurationOf,
  exportKey,
  keyId,
  proxyLimits,
  usages,
  type ProxyConfiguration,
} from './served-proxies.ts'
import { trentOperation } from './trent-operation.ts'

export interface CreatedXksProxy {
  readonly proxyId: string
  readonly name: string
  readonly accountId: string
  readonly region: string
  readonly configuration: ProxyConfiguration
}

export const createXksProxy = trentOperation<CreatedXksProxy>()({
  name: 'CreateXksProxy',
  door: 'operator',
  input: {
    name: required(text({ min: 1, max: 256, pattern: '[\\w./@+-]+' })),
    accountId: required(text({ pattern: '[0-9]{12}' })),
    region: required(text({ min: 1, max: 64 })),
    limits: proxyLimits,
    keys: list(structure({ keyId: required(keyId), usages: required(usages) }), { max: 100 }),
  },
  permissions: () => [{ action: 'trent:CreateXksProxy' }],
  readOnly: false,
  audit: ['name', 'accountId', 'region', 'limits', 'keys'],
  auditResponse: ({ proxyId, configuration }) => ({
    proxyId,
    accessKeyId: configuration.XksProxyAuthenticationCredential.AccessKeyId,
  }),
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'NotFoundException',
    'AlreadyExistsException',
    'LimitExceededException',
  ],
  async run(call, { clock, random, regions, newProxyCredential }) {
    const { name, accountId, region, limits, keys = [] } = call.input
    if (regions.partitionOf(region) === undefined) {
      throw new KmsError('ValidationException', `there is no Region \`${region}\``)
    }
    const proxyId = `xks-${Buffer.from(random.bytes(9)).toString('hex').slice(0, 17)}`
    const credential = newProxyCredential({ proxyId, accountId, region })
    const createdAt = clock.now()
    call.concerning(concernedProxy({ proxyId, accountId, region }, call))
    return call.commit(async (transaction) => {
      if ((await transaction.findAccount(accountId)) === undefined) {
        throw new KmsError('NotFoundException', `There is no account ${accountId}`)
      }
      const others = (await transaction.listServedProxies()).filter(
        (each) => each.accountId === accountId && each.region === region,
      )
      if (others.length >= servedProxyLimits.proxies) {
        const message = `an account has at most ${servedProxyLimits.proxies} XKS proxies in a Region`
        throw new KmsError('LimitExceededException', message)
      }
      const made = { proxyId, accountId, region, name, ...(limits && { limits }), createdAt }
      const proxy = await transaction.insertServedProxy(made).catch((error: unknown) => {
        if (!(error instanceof DuplicateRow)) throw error
        throw new KmsError('AlreadyExistsException', `There is an XKS proxy of the name ${name}`)
      })
      await transaction.insertProxyCredential({ ...credential.record, createdAt })
      for (const each of keys) {
        const exported = { key: each.keyId, usages: each.usages, now: createdAt }
        await exportKey(transaction, proxy, exported)
      }
      const configuration = configurationOf(proxy, credential)
      return { proxyId, name, accountId, region, configuration }
    })
  },
})
